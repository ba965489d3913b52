"""Whatever is fitted to data is fitted inside a fold's training part: the same scores as scikit-learn's pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import paribus as pb
from estimators_here import EstimatorsHere
from paribus.data.sources import load_pooled


def table() -> pd.DataFrame:
    """Numbers with gaps, a column of words of which many occur once, and a label that depends on both."""
    generator, rows = np.random.default_rng(0), 200
    towns = generator.choice(["x", "y", "z", *(f"t{number}" for number in range(30))], rows)
    frame = pd.DataFrame({"a": 40 * generator.normal(size=rows) + 300, "b": generator.exponential(size=rows)})
    score = frame.a - 300 + 20 * (towns == "x") + 20 * generator.normal(size=rows)
    frame = frame.assign(town=towns, label=np.where(score > 10, "p", "n"))
    frame.loc[generator.choice(rows, 40, replace=False), "a"] = np.nan
    frame.loc[generator.choice(rows, 15, replace=False), "b"] = np.nan
    return frame


@pytest.mark.parametrize(
    ("impute", "imputer", "balanced"),
    [
        ('"median"', {"strategy": "median"}, ""),
        ('{ strategy = "median", indicator = true }', {"strategy": "median", "add_indicator": True}, "protocol"),
        ('{ strategy = "constant", fill_value = -1 }', {"strategy": "constant", "fill_value": -1}, "estimator"),
    ],
)
def test_gaps_words_scales_and_class_weights_are_those_of_the_training_part(
    tmp_path: Path, impute: str, imputer: dict[str, Any], balanced: str
) -> None:
    frame = table()
    frame.to_csv(tmp_path / "table.csv", index=False)
    protocol = '[protocol]\nclass_weight = "balanced"\n' if balanced == "protocol" else ""
    weight = ', class_weight = "balanced"' if balanced == "estimator" else ""
    (tmp_path / "study.toml").write_text(
        f'name = "prepared"\nseeds = 1\n[data]\nsource = "table.csv"\nlabel = "label"\nfolds = 5\nstandardize = true\n'
        f"impute = {impute}\n{protocol}[arms.linear]\n"
        f"estimator = {{ LogisticRegression = {{ tol = 1e-12, max_iter = 5000{weight} }} }}\n",
        encoding="utf-8",
    )
    study = pb.Study.load(tmp_path / "study.toml")
    results = study.run(backend=EstimatorsHere(), progress=False)
    ours = [run.scores.test_accuracy for run in results.arms["linear"].runs]
    columns = make_column_transformer(
        (SimpleImputer(**imputer), ["a", "b"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["town"]),
    )
    linear = LogisticRegression(tol=1e-12, max_iter=5000, class_weight="balanced" if balanced else None)
    codes = load_pooled(study.document.data.spec()).codes
    theirs = cross_val_score(
        make_pipeline(columns, StandardScaler(), linear),
        frame[["a", "b", "town"]],
        frame.label,
        cv=PredefinedSplit(codes[0]),
    )
    assert ours == pytest.approx(list(theirs), abs=1e-12)
