"""Simulations that show what the methods keep: ``python -m paribus.analysis.simulate`` prints the tables of the docs.

Differences D[s, i] = mean + seed_s + example_i + rest_si are normal with known variances, so their mean and mean
squares have exact normal and chi-square laws and are drawn directly; scores of 0 and 1 are drawn entry by entry.
"""
