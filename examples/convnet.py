# %% [markdown]
# # A convolutional network and its dropout
#
# The network of Keras's example "Simple MNIST convnet", trained as there (categorical
# cross-entropy, Adam, batches of 128, a tenth of the training data held out for
# validation), against the same network without its dropout. Five thousand
# training images and three epochs, so that three seeds of both take about a minute:
# the first cell says how much. That its losses are those of Keras's `fit`, step by
# step, is [a test](../tests/engine/test_keras_parity.py).

# %%
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
from keras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D

import paribus as pb
from paribus.records import DataSpec

TRAIN, TEST, SEEDS, EPOCHS = 5_000, 5_000, 3, 3

# %%
mnist = pb.data.load(DataSpec("mnist"))
train = mnist.x_train[:TRAIN] / 255, mnist.y_train[:TRAIN]
test = mnist.x_test[:TEST] / 255, mnist.y_test[:TEST]


# %%
def convnet(*dropout):
    layers = [
        Conv2D(32, 3, activation="relu"),
        MaxPooling2D(),
        Conv2D(64, 3, activation="relu"),
        MaxPooling2D(),
    ]
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            *layers,
            Flatten(),
            *dropout,
            Dense(10, activation="softmax"),
        ]
    )


networks = {"dropout": convnet(Dropout(0.5)), "none": convnet()}
networks["dropout"].count_params()

# %%
results = pb.compare(
    networks,
    (train, test),
    seeds=SEEDS,
    epochs=EPOCHS,
    batch_size=128,
    validation_split=0.1,
)
results

# %% [markdown]
# The same, as a sentence and as numbers:

# %%
contrast = results.contrast("dropout", "none")
print(contrast.sentence)
contrast.difference, contrast.low, contrast.high, contrast.verdict

# %% [markdown]
# The loss is another metric, and a contrast is declared before anything is trained: say
# which in a [study](../docs/studies.md), or look at single runs without a verdict.

# %%
results.to_pandas()[
    [
        "arm",
        "seed",
        "fit_accuracy",
        "train_accuracy",
        "test_accuracy",
        "test_loss",
        "seconds",
    ]
].round(4)
