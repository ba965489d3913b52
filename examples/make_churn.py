"""Writes ``churn.csv``: customers of a made-up telephone company, of whom 8 % left. ``python examples/make_churn.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 4000


def made() -> pd.DataFrame:
    """The table: who leaves depends on contract, months, calls and on two of them together, and on chance."""
    draw = np.random.default_rng(1)
    contract = draw.choice(
        ["monthly", "one year", "two years"], ROWS, p=[0.5, 0.3, 0.2]
    )
    months = np.minimum(draw.geometric(0.03, ROWS), 72)
    fee = np.round(draw.gamma(6, 10, ROWS) + 10, 1)
    calls = draw.poisson(1.2, ROWS)
    pay = draw.choice(["card", "transfer", "cheque"], ROWS, p=[0.5, 0.35, 0.15])
    region = draw.choice(["north", "south", "east", "west"], ROWS)
    logit = (
        -4.55
        + 1.6 * (contract == "monthly")
        + 1.3 * np.exp(-months / 10)
        + 0.45 * calls
        + 0.9 * ((pay == "cheque") & (fee > 70))
        + 0.012 * (fee - 70)
    )
    left = draw.random(ROWS) < 1 / (1 + np.exp(-logit))
    table = pd.DataFrame(
        {
            "contract": contract,
            "months": months,
            "fee": fee,
            "calls": calls,
            "payment": pay,
            "region": region,
            "churned": np.where(left, "yes", "no"),
        }
    )
    table.loc[draw.random(ROWS) < 0.06, "fee"] = None
    table.loc[draw.random(ROWS) < 0.04, "payment"] = None
    return table


if __name__ == "__main__":
    made().to_csv(Path(__file__).with_name("churn.csv"), index=False)
