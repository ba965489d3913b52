# %% [markdown]
# # Layers of every kind
#
# Any Keras layer that trains statelessly can stand in an arm. Two questions about two
# other kinds of networks, each compared with a variant of itself: does batch
# normalization help a dense network, and is an LSTM that reads an image row by row
# better than a GRU? Three epochs each: set `EPOCHS` for more. That such networks have
# the losses of Keras's `fit`, step by step, is
# [a test](../tests/engine/test_keras_parity.py).

# %%
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
from keras.layers import (
    GRU,
    LSTM,
    Activation,
    BatchNormalization,
    Dense,
    Flatten,
    Input,
)

import paribus as pb

DATA, SEEDS, EPOCHS = "mnist", 3, 3

# %% [markdown]
# ## Batch normalization
# Between each dense layer and its activation, or nowhere. Its running means and
# variances belong to a run as its weights do; test accuracy is measured with them, in
# inference mode.


# %%
def dense(*normalization):
    layers = []
    for _ in range(3):
        layers += [Dense(100), *[each() for each in normalization], Activation("relu")]
    return keras.Sequential(
        [Input((28, 28)), Flatten(), *layers, Dense(10, activation="softmax")]
    )


networks = {"normalized": dense(BatchNormalization), "plain": dense()}
pb.compare(networks, DATA, seeds=SEEDS, epochs=EPOCHS)

# %% [markdown]
# ## Rows
# An image of 28 rows is a sequence of 28 vectors.


# %%
def rows(layer):
    return keras.Sequential(
        [Input((28, 28)), layer(48), Dense(10, activation="softmax")]
    )


pb.compare({"lstm": rows(LSTM), "gru": rows(GRU)}, DATA, seeds=SEEDS, epochs=EPOCHS)

# %% [markdown]
# ## Taken apart
# Which of the two questions to ask need not be known beforehand: `pb.ablate` finds what
# a network consists of.

# %%
pb.ablate(
    dense(BatchNormalization),
    DATA,
    parts=["no-batch-normalization", "half-width"],
    seeds=SEEDS,
    epochs=EPOCHS,
)
