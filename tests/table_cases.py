"""Tables as people have them, each with what plain pandas and scikit-learn make of it, or with why it is refused.

``docs/data-cases.md`` is written from these. ``make`` writes the files into an empty folder and returns the spec;
``reference`` reads the same files without paribus.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

from paribus.records import DataSpec, Imputation

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class TableCase:
    """What it is, how to write it, and what must come of it: ``reference``'s arrays, or a refusal that ``says``."""

    what: str
    make: Callable[[Path], DataSpec]
    reference: Callable[[Path], Arrays] | None = None
    says: str = ""
    notes: str = ""
    standardized: bool = False


RNG = np.random.default_rng(0)
ROWS = 60
CITIES = np.array(["Rome", "Oslo", "Bonn"])


def frame(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": generator.normal(40, 10, rows).round(3),
            "count": generator.integers(0, 9, rows),
            "city": generator.choice(CITIES, rows),
            "label": np.array(["a", "b"])[np.arange(rows) % 2],
        }
    )


TRAIN, TEST = frame(), frame(20, 1)


def arrays(
    train: pd.DataFrame,
    test: pd.DataFrame,
    *,
    words: Sequence[str] = (),
    impute: SimpleImputer | None = None,
    standardize: bool = False,
) -> Arrays:
    """Plain pandas and scikit-learn: numbers as they are, words one-hot with what training has, labels encoded."""
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    indicators: list[tuple[np.ndarray, np.ndarray]] = []
    for name in [column for column in train.columns if column != "label"]:
        pair = [each[[name]] for each in (train, test)]
        is_word = name in words or not pd.api.types.is_numeric_dtype(train[name]) or train[name].dtype == bool
        if impute is not None and impute.add_indicator and train[name].isna().any():
            indicators.append(tuple(each[name].isna().to_numpy(float)[:, None] for each in pair))
        if is_word:
            pair = [each.astype(object).where(each.notna(), None) for each in pair]
            if impute is not None:
                fill = SimpleImputer(strategy="most_frequent", missing_values=None).fit(pair[0])
                pair = [pd.DataFrame(fill.transform(each), columns=[name]) for each in pair]
            encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(pair[0].astype(str))
            parts.append(tuple(encoder.transform(each.astype(str)) for each in pair))
        else:
            pair = [each.astype("float64") for each in pair]
            if impute is not None:
                number = SimpleImputer(strategy=impute.strategy).fit(pair[0])
                pair = [number.transform(each) for each in pair]
            parts.append(tuple(np.asarray(each, np.float64) for each in pair))
    x_train, x_test = (np.hstack([part[side] for part in parts + indicators]) for side in (0, 1))
    if standardize:
        scaler = StandardScaler().fit(x_train)
        x_train, x_test = scaler.transform(x_train), scaler.transform(x_test)
    encode = LabelEncoder().fit(train["label"])
    return (
        x_train.astype(np.float32),
        encode.transform(train["label"]),
        x_test.astype(np.float32),
        encode.transform(test["label"]),
    )


def csv(train: pd.DataFrame, test: pd.DataFrame, how: dict[str, Any] | None = None, **options: Any) -> Any:
    """Both splits written by pandas as CSV."""

    def make(folder: Path) -> DataSpec:
        for name, part in (("train", train), ("test", test)):
            part.to_csv(folder / f"{name}.csv", **({"index": False} | (how or {})))
        return DataSpec(str(folder / "train.csv"), label="label", test=str(folder / "test.csv"), **options)

    return make


def parquet(train: pd.DataFrame, test: pd.DataFrame, **options: Any) -> Any:
    """Both splits written by pandas as Parquet, with their index where it is one."""

    def make(folder: Path) -> DataSpec:
        for name, part in (("train", train), ("test", test)):
            part.to_parquet(folder / f"{name}.parquet")
        return DataSpec(str(folder / "train.parquet"), label="label", test=str(folder / "test.parquet"), **options)

    return make


def by_pandas(read: dict[str, Any] | None = None, **options: Any) -> Callable[[Path], Arrays]:
    """What pandas reads of the two CSV files."""

    def reference(folder: Path) -> Arrays:
        train, test = (pd.read_csv(folder / f"{name}.csv", **(read or {})) for name in ("train", "test"))
        return arrays(train, test[train.columns], **options)

    return reference


def by_pandas_parquet(drop: Sequence[str] = (), **options: Any) -> Callable[[Path], Arrays]:
    """What pandas reads of the two Parquet files: the index is an index."""

    def reference(folder: Path) -> Arrays:
        train, test = (pd.read_parquet(folder / f"{name}.parquet") for name in ("train", "test"))
        return arrays(train.drop(columns=list(drop)), test.drop(columns=list(drop)), **options)

    return reference


def text(train: str | bytes, test: str | bytes | None = None, **options: Any) -> Any:
    """Files written by hand."""

    def make(folder: Path) -> DataSpec:
        for name, content in (("train", train), ("test", train if test is None else test)):
            (folder / f"{name}.csv").write_bytes(content.encode() if isinstance(content, str) else content)
        return DataSpec(str(folder / "train.csv"), label="label", test=str(folder / "test.csv"), **options)

    return make


def with_gaps(each: pd.DataFrame) -> pd.DataFrame:
    gaps = np.random.default_rng(len(each)).random((len(each), 2)) < 0.2
    return each.assign(age=each["age"].mask(gaps[:, 0]), city=each["city"].mask(gaps[:, 1]))


def price(cells: Sequence[str]) -> str:
    return "price,n,label\n" + "".join(f'"{cell}",{i},{"ab"[i % 2]}\n' for i, cell in enumerate(cells))


GAPS, GAPS_TEST = with_gaps(TRAIN), with_gaps(TEST)
IDS = [each.assign(id=[f"r{i:03}" for i in range(len(each))]) for each in (TRAIN, TEST)]
TIMES = [each.assign(time=1_700_000_000 + RNG.integers(0, 86_400, len(each))) for each in (TRAIN, TEST)]
SHUFFLED = [each.set_axis(RNG.permutation(len(each)) + 500) for each in (TRAIN, TEST)]
KEYED = [each.set_axis(pd.Index([f"k{i}" for i in range(len(each))], name="key")) for each in (TRAIN, TEST)]
LEVELS = [each.set_axis(pd.MultiIndex.from_arrays([range(len(each)), each["city"]])) for each in (TRAIN, TEST)]
ZIPS = [each.assign(zip=np.array([10115, 20095])[each["count"] % 2]) for each in (TRAIN, TEST)]
FLAGS = [each.assign(flag=each["count"] > 4) for each in (TRAIN, TEST)]
TYPES = [each.convert_dtypes().assign(city=each["city"].astype("category")) for each in (TRAIN, TEST)]
COUNTED = [each.assign(label=np.arange(len(each)) % 3 + 1) for each in (TRAIN, TEST)]
WIDE = [pd.DataFrame(RNG.normal(size=(8, 2000))).add_prefix("c").assign(label=list("ab") * 4) for _ in range(2)]
COUNTRIES = [each.assign(country=np.array(["NA", "US"])[each["count"] % 2]) for each in (TRAIN, TEST)]
KEEP = {"keep_default_na": False}

TABLES = (
    TableCase("CSV: numbers and words", csv(TRAIN, TEST), by_pandas()),
    TableCase("CSV: the test file's columns in another order", csv(TRAIN, TEST[TRAIN.columns[::-1]]), by_pandas()),
    TableCase("CSV: a word that only the test file has", csv(TRAIN, TEST.replace("Oslo", "Bern")), by_pandas()),
    TableCase(
        "CSV: a column of the test file has another name",
        csv(TRAIN, TEST.rename(columns={"age": "Age"})),
        says="only one of them has 'Age', 'age'",
    ),
    TableCase(
        "CSV: quoted cells with commas and line breaks",
        csv(TRAIN.replace("Rome", "Rome,\nItaly"), TEST.replace("Rome", "Rome,\nItaly")),
        by_pandas(),
    ),
    TableCase(
        "CSV: a byte order mark and Windows line ends",
        csv(TRAIN, TEST, {"encoding": "utf-8-sig", "lineterminator": "\r\n"}),
        by_pandas(),
    ),
    TableCase("CSV: separated by semicolons", csv(TRAIN, TEST, {"sep": ";"}), says="separated by semicolons"),
    TableCase("CSV: separated by tabs", csv(TRAIN, TEST, {"sep": "\t"}), says="separated by tabs"),
    TableCase("CSV: decimal commas", text(price(["1,5", "2,5", "0,5", "1,0"])), says="line 2, column 'price': '1,5'"),
    TableCase("CSV: percentages", text(price(["12%", "7.5 %", "3%", "9%"])), says="'12%' is almost a number"),
    TableCase("CSV: amounts of money", text(price(["$3.20", "$4", "$5.10", "$1"])), says="is almost a number"),
    TableCase("CSV: thousands with spaces", text(price(["1 000", "2 500", "9 000", "1 200"])), says="is almost a"),
    TableCase("CSV: a number with a slip in it", text(price(["1", "2", "3O", "4"])), says="'3O' is not a number"),
    TableCase("CSV: an index without a name in front", csv(TRAIN, TEST, {"index": True}), says="column 1 has no name"),
    TableCase(
        "CSV: an index that went through CSV twice (`Unnamed: 0`)",
        csv(TRAIN, TEST, {"index_label": "Unnamed: 0", "index": True}),
        by_pandas({"index_col": 0}),
        notes="Left out of the features: 'Unnamed: 0'",
    ),
    TableCase("CSV: an identifier left in", csv(*IDS), by_pandas(), notes="Column 'id' has a value of its own"),
    TableCase(
        "CSV: an identifier in `drop`",
        csv(*IDS, drop=("id",)),
        by_pandas({"usecols": ["age", "count", "city", "label"]}),
    ),
    TableCase("CSV: missing values, nothing said", csv(GAPS, GAPS_TEST), says='say impute = "median"'),
    TableCase(
        "CSV: missing values, the median",
        csv(GAPS, GAPS_TEST, impute=Imputation("median")),
        by_pandas(impute=SimpleImputer(strategy="median")),
        notes="Missing values were filled in",
    ),
    TableCase(
        "CSV: missing values, the most frequent, with indicators",
        csv(GAPS, GAPS_TEST, impute=Imputation("most_frequent", indicator=True)),
        by_pandas(impute=SimpleImputer(strategy="most_frequent", add_indicator=True)),
        notes="Missing values were filled in",
    ),
    TableCase(
        "CSV: the label NA",
        csv(*[each.replace({"label": {"a": "NA"}}) for each in (TRAIN, TEST)]),
        says="If 'NA' is a word here, name the column in `categorical`",
    ),
    TableCase(
        "CSV: the country NA, declared `categorical`", csv(*COUNTRIES, categorical=("country",)), by_pandas(KEEP)
    ),
    TableCase("CSV: postal codes, declared `categorical`", csv(*ZIPS, categorical=("zip",)), by_pandas(words=["zip"])),
    TableCase("CSV: true and false", csv(*FLAGS), by_pandas()),
    TableCase("CSV: timestamps", csv(*TIMES), by_pandas(), notes="float32 keeps about 7 digits"),
    TableCase(
        "CSV: timestamps, standardized", csv(*TIMES, standardize=True), by_pandas(standardize=True), standardized=True
    ),
    TableCase("CSV: labels 1, 2, 3", csv(*COUNTED), by_pandas()),
    TableCase("CSV: labels 1.0, 2.0", csv(*[each.assign(label=each["label"] * 1.0) for each in COUNTED]), by_pandas()),
    TableCase(
        "CSV: prices for labels",
        csv(*[each.assign(label=each["age"]) for each in (TRAIN, TEST)]),
        says="Predicting quantities is not supported",
    ),
    TableCase("CSV: 2,000 columns", csv(*WIDE), by_pandas()),
    TableCase("CSV: two columns of one name", text("n,n,label\n1,2,a\n3,4,b\n"), says="two columns are named 'n'"),
    TableCase("CSV: Latin-1", text("n,label\n1,é\n2,b\n".encode("latin-1")), says="not UTF-8 text"),
    TableCase(
        "CSV: a label that only the test file has",
        text("n,label\n1,a\n2,b\n", "n,label\n1,c\n"),
        says="label 'c' does not occur in the training split",
    ),
    TableCase("Parquet: pandas' index that counts rows", parquet(TRAIN, TEST), by_pandas_parquet()),
    TableCase(
        "Parquet: an index of shuffled numbers", parquet(*SHUFFLED), by_pandas_parquet(), notes="'__index_level_0"
    ),
    TableCase("Parquet: an index of words, named", parquet(*KEYED), by_pandas_parquet(), notes="features: 'key'"),
    TableCase("Parquet: an index of two levels", parquet(*LEVELS), by_pandas_parquet(), notes="'__index_level_1__'"),
    TableCase("Parquet: true and false, categories, pandas' own types", parquet(*TYPES), by_pandas_parquet()),
    TableCase(
        "Parquet: missing values, the median",
        parquet(GAPS, GAPS_TEST, impute=Imputation("median")),
        by_pandas_parquet(impute=SimpleImputer(strategy="median")),
        notes="Missing values were filled in",
    ),
    TableCase(
        "Parquet: dates",
        parquet(*[each.assign(day=pd.date_range("2024", periods=len(each))) for each in (TRAIN, TEST)]),
        says="; expected numbers, words or booleans. Leave it out with `drop`",
    ),
    TableCase(
        "Parquet: dates in `drop`",
        parquet(*[each.assign(day=pd.date_range("2024", periods=len(each))) for each in (TRAIN, TEST)], drop=("day",)),
        by_pandas_parquet(drop=["day"]),
    ),
)
