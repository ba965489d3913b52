# %% [markdown]
# # Your own data
#
# Whatever form data comes in, `data=` takes it: arrays, a table, a folder of images,
# files of MNIST's format. Nothing of the test split ever reaches the training: means
# for standardizing, words of categories and the validation split come from the training
# split alone.

# %%
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from keras.layers import Dense, Dropout
from PIL import Image
from sklearn.datasets import load_digits, load_wine

import paribus as pb

SEEDS, EPOCHS, FASHION = 5, 15, "fashion-mnist"
FOLDER = Path("data-of-this-notebook")


def compare(inputs, classes, data, **options):
    def network(*dropout):
        answer = Dense(classes, activation="softmax")
        return keras.Sequential(
            [keras.Input((inputs,)), Dense(64, activation="relu"), *dropout, answer]
        )

    options = {"seeds": SEEDS, "epochs": EPOCHS, "batch_size": 50} | options
    return pb.compare(
        {"dropout": network(Dropout(0.3)), "none": network()}, data, **options
    )


# %% [markdown]
# ## Arrays
# Four of them, labels as whole numbers or one-hot. What arrays hold is taken as it is.

# %%
digits = load_digits()
x, y = digits.data / 16, digits.target
compare(64, 10, (x[:1300], y[:1300], x[1300:], y[1300:]))

# %% [markdown]
# ## A table: CSV or Parquet
# A mapping says what `[data]` of a study file would: which column is the label, what is
# standardized, which share is the test split.

# %%
FOLDER.mkdir(exist_ok=True)
wine = load_wine(as_frame=True)
table = wine.data.assign(grape=wine.target_names[wine.target])
table.to_csv(FOLDER / "wine.csv", index=False)
table.to_parquet(FOLDER / "wine.parquet")
described = {
    "source": str(FOLDER / "wine.parquet"),
    "label": "grape",
    "standardize": True,
    "test_fraction": 0.4,
}
compare(13, 3, described)

# %% [markdown]
# ## A folder of images
# `train/<class>/*.png` and `test/<class>/*.png`. Pixels of files are divided by what
# you say.

# %%
for number, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
    place = FOLDER / "digits" / ("train" if number < 1300 else "test") / str(label)
    place.mkdir(parents=True, exist_ok=True)
    Image.fromarray((image * 15).astype(np.uint8)).save(place / f"{number:04}.png")
compare(64, 10, FOLDER / "digits", scale=240)

# %% [markdown]
# ## Fashion-MNIST, or any four IDX files
# `fashion-mnist` finds the files that Debian's package `dataset-fashion-mnist`
# installs; the path of a folder with four files under MNIST's names, packed or not,
# works from any folder.

# %%
compare(784, 10, FASHION, epochs=min(EPOCHS, 3), seeds=min(SEEDS, 3), batch_size=100)

# %% [markdown]
# ## What cannot be used is refused, with a reason
# Before anything is trained:

# %%
try:
    compare(13, 3, described | {"label": "colour"})
except pb.ParibusError as error:
    print(error)
