"""Data that was always read rightly is named as it was when this test was written, and so are its studies' runs.

The values were recorded before columns could be dropped or missing values be filled in. A stored run is found by them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data_files import csv, csv_pair, idx_folder, images, npy_folder, npz, png
from paribus.data import from_arrays, load
from paribus.records import DataSpec, Recipe, Seeds
from paribus.study.load import parse_study
from paribus.study.plan import list_jobs

ROWS = "".join(f"{i / 7},{i % 5},{['x', 'y', 'z'][i % 3]},{10115 + i % 4},{i % 2}\n" for i in range(80))
TABLE = "measure,count,word,zip,class\n" + ROWS
FLOATS = np.linspace(-2, 3, 60).reshape(12, 5)
Make = Callable[[Path], DataSpec]


def parquet(folder: Path) -> DataSpec:
    import pyarrow as pa
    from pyarrow import parquet as pq

    columns = {"n": [i / 3 for i in range(40)], "word": ["u", "v"] * 20, "flag": [True, False] * 20}
    pq.write_table(pa.table(columns | {"class": ["a", "b"] * 20}), folder / "data.parquet")
    return DataSpec(str(folder / "data.parquet"), label="class")


DATA: dict[str, tuple[Make, str]] = {
    "csv": (csv(TABLE), "abe427923304f2e9"),
    "csv, standardized": (csv(TABLE, standardize=True), "abe427923304f2e9"),
    "csv, a third for testing": (csv(TABLE, test_fraction=1 / 3, categorical=("zip",)), "1b3144eeb2272fd6"),
    "two csv": (
        csv_pair(TABLE, "class,zip,word,count,measure\n1,10115,w,3,4.5\n0,10116,x,2,1e9\n"),
        "72e4a7a70aa6cf03",
    ),
    "parquet": (parquet, "4ea6edbc44b86ec5"),
    "npz": (npz(), "bf29d041e9a157e0"),
    "npz, one-hot": (npz(y_train=np.eye(2)[[0, 1, 0, 1]], y_test=np.eye(2)[:2]), "bf29d041e9a157e0"),
    "npy": (npy_folder(), "bf29d041e9a157e0"),
    "idx": (idx_folder, "18c80654c6f4167e"),
    "images": (images(train__a__9=png(fill=9)), "173d3e06df2c341b"),
    "wine": (lambda _: DataSpec("sklearn:wine", standardize=True), "dc5d7a489df27711"),
}


@pytest.mark.parametrize("name", DATA)
def test_the_fingerprint_stays(name: str, tmp_path: Path) -> None:
    make, fingerprint = DATA[name]
    assert load(make(tmp_path)).fingerprint[:16] == fingerprint


def test_the_fingerprints_of_arrays_stay() -> None:
    labels = np.arange(12) % 3
    found = [
        from_arrays(x, labels, x[:3], labels[:3]).fingerprint[:16]
        for x in (FLOATS, FLOATS.astype(np.float32), FLOATS > 0, (FLOATS * 10 + 20).astype(int), (FLOATS * 1e6) // 1)
    ]
    assert found == [
        "650d6d825cb95754",
        "650d6d825cb95754",
        "1b96fe79e6f6011c",
        "a2b006c4f224beb0",
        "06e1dd430ce23ee4",
    ]


STUDY = """
name = "pinned"
seeds = 2
[data]
source = "{source}"
label = "class"
standardize = true
[protocol]
validation_split = 0.25
class_weight = {{ 0 = 1.0, 1 = 5.0 }}
[arms.linear]
layers = [{{ Dense = {{ units = 2, activation = "softmax" }} }}]
[arms.forest]
estimator = "RandomForestClassifier"
"""


DATA_TEXT = (
    '{"source":"FOLDER/data.csv","scale":null,"flatten":false,"standardize":true,"label":"class","categorical":[],'
    '"test":null,"test_fraction":null}'
)
PROTOCOL_TEXT = (
    '{"loss":{"categorical_crossentropy":{}},"epochs":10,"batch_size":100,"validation_split":0.25,'
    '"class_weight":{"0":1.0,"1":5.0},"early_stopping":null,"metrics":[],"precision":"float32"}'
)


def test_the_runs_of_a_table_and_the_texts_that_are_stored_stay(tmp_path: Path) -> None:
    spec = csv(TABLE)(tmp_path)
    document = parse_study(STUDY.format(source=spec.source), "study.toml")
    recipes = {
        "linear": Recipe("{}", "{}", 10, ()),
        "forest": Recipe('{"estimator":{"RandomForestClassifier":{}},"seeded":true}', "", 0, ()),
    }
    wanted = list_jobs(document, recipes, load(document.data.spec()).summary(), [Seeds.of(0)])
    assert [job.fingerprint[:16] for job in wanted] == ["1b06160b95d51275", "abe78d7ede99178e"]
    assert document.data.model_dump_json().replace(str(tmp_path), "FOLDER") == DATA_TEXT
    assert document.protocol.model_dump_json() == PROTOCOL_TEXT
