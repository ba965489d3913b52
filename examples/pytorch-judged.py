# %% [markdown]
# # Predictions of a PyTorch loop
#
# What was trained elsewhere gets the same answer. A plain PyTorch loop
# (`pytorch_loop.py`, not run here) trained a network for digits with and without
# dropout, from five seeds each, and wrote one row for each answer.

# %%
import pandas as pd

import paribus as pb

frame = pd.read_csv("pytorch-predictions.csv")
frame.head(3)

# %%
results = pb.judge(frame, question="Does dropout help a small network?")
results

# %% [markdown]
# ## Is it safe to leave the dropout in?
# Not worse by two points or more: the question of `paribus check`.

# %%
results.check("dropout", "none", margin=0.02)

# %% [markdown]
# ## How many seeds would show a difference of half a point?

# %%
results.plan(detect=0.005)

# %% [markdown]
# ## Which digits are taken for which

# %%
results.confusion("dropout")

# %%
_ = results.plot()
