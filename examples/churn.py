# %% [markdown]
# # A table with few positives
#
# Customers of a made-up company: words and numbers, gaps, and 8 % who left. Two
# networks and gradient boosting on the same rows, compared on AUC and F1, and then on
# what their errors cost. `make_churn.py` wrote `churn.csv`, beside this notebook.

# %%
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
import pandas as pd
from keras.layers import Dense, Dropout
from sklearn.ensemble import HistGradientBoostingClassifier

import paribus as pb

TABLE, SEEDS, EPOCHS = "churn.csv", 5, 30

# %%
table = pd.read_csv(TABLE)
table.isna().mean().to_frame("missing").assign(kind=table.dtypes)

# %% [markdown]
# ## One call
# Gaps are filled in and numbers standardized with what the training split has. Words
# become a 0/1 feature each: 13 features in all.


# %%
def network(units, rate):
    hidden = [Dense(units, "relu"), Dropout(rate)]
    return keras.Sequential([keras.Input((13,)), *hidden, Dense(1, "sigmoid")])


boosting = HistGradientBoostingClassifier(max_iter=50)
arms = {"small": network(8, 0.0), "large": network(128, 0.3), "boosting": boosting}
data = {"source": TABLE, "label": "churned", "test_fraction": 0.4}
data |= {"impute": "median", "standardize": True}
pairs = [("small", "boosting"), ("large", "boosting"), ("large", "small")]
results = pb.compare(
    arms,
    data,
    loss="binary_crossentropy",
    metrics=["AUC", keras.metrics.F1Score(threshold=0.5)],
    contrasts=[(*pair, m) for m in ("test_auc", "test_f1_score") for pair in pairs],
    seeds=SEEDS,
    epochs=EPOCHS,
)
results

# %% [markdown]
# ## Accuracy says nothing here
# Whoever answers "stays" for everybody is right in 92 of 100 cases. What the arms do
# with those who leave:

# %%
results.confusion("large")

# %% [markdown]
# ## What errors cost
# Missing somebody who leaves costs ten, asking somebody who stays costs one. Then it
# pays to ask from a probability of 1/11 on.

# %%
p = results.predictions()
leaves = np.where(p.label == "yes", p.true_probability, 1 - p.true_probability)
asked = leaves > 1 / 11
p["cost"] = np.where(p.label == "yes", 10 * ~asked, 1 * asked)
p.groupby(["arm", "seed"], observed=True).cost.mean().unstack().round(3)

# %%
_ = results.plot("test_auc")
