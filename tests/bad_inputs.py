"""Data that must be refused, each with a piece of its error message.

``BAD_INPUTS`` is also what the table of bad inputs in the documentation is made from: every entry says in ``what``
what is wrong with the file, and ``make`` writes it into an empty folder and returns the spec that names it.
"""

from __future__ import annotations

import gzip
import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_files import (
    GOOD_CSV,
    Evil,
    csv,
    csv_pair,
    encrypted,
    file,
    flipped,
    good_arrays,
    idx,
    idx_bytes,
    idx_folder,
    images,
    lying_directory,
    named,
    npy_bytes,
    npy_folder,
    npy_header,
    npz,
    npz_member,
    npz_raw,
    parquet,
    parquet_bytes,
    png,
    png_header_only,
    with_sidecar,
)
from paribus.errors import DataError, ParibusError, UnknownNameError, UsageError
from paribus.records import DataSpec


@dataclass(frozen=True)
class BadInput:
    """What is wrong, how to make it, and what the error must say."""

    name: str
    what: str
    make: Callable[[Path], DataSpec]
    says: str
    error: type[ParibusError] = DataError


HUGE = 2**31
NAN = np.array([[0.0, 1.0], [2.0, np.nan]], np.float32)
ONE_HOT = np.array([[1, 0], [0, 1], [1, 1], [1, 0]])
GOOD_GZ = gzip.compress(idx_bytes(), mtime=0)

BAD_INPUTS = (
    # IDX
    BadInput("idx-empty", "an empty file", idx(b""), "0 bytes; an IDX file starts with a header"),
    BadInput("idx-magic", "a file of another format", idx(b"\x89PNG\r\n\x1a\n"), "starts with the bytes 89 50 4e 47"),
    BadInput("idx-type", "an unknown type code", idx(idx_bytes(code=7)), "unknown IDX type 07; expected one of 08, 09"),
    BadInput("idx-0d", "no dimensions", idx(b"\0\0\x08\0"), "with 0 dimensions; expected 1 to 32"),
    BadInput("idx-255d", "255 dimensions", idx(b"\0\0\x08\xff" + bytes(1020)), "with 255 dimensions"),
    BadInput("idx-header", "a header cut off", idx(b"\0\0\x08\x03\0\0"), "the IDX header is cut off"),
    BadInput(
        "idx-truncated", "the last byte missing", idx(idx_bytes()[:-1]), "truncated: the header promises 4 x 2 x 2"
    ),
    BadInput("idx-trailing", "a byte too many", idx(idx_bytes() + b"\0"), "1 bytes too many"),
    BadInput(
        "idx-lie",
        "a header that promises 2^31 x 2^31 bytes",
        idx(idx_bytes((HUGE, HUGE), values=b"\0" * 16)),
        "promises 2147483648 x 2147483648 values",
    ),
    BadInput(
        "idx-gz-lie",
        "the same, compressed",
        idx(gzip.compress(idx_bytes((HUGE, HUGE), values=b"\0" * 16))),
        "truncated, or its header is wrong",
    ),
    BadInput(
        "idx-gz-bomb",
        "a gzip bomb: 1 MiB of zeros behind a header for 16 bytes",
        idx(gzip.compress(idx_bytes() + bytes(1 << 20))),
        "more bytes than the header promises",
    ),
    BadInput(
        "idx-no-bytes",
        "a shape of 0 x 2^32 x 2^32, which needs no bytes at all",
        idx(idx_bytes((0, 2**32 - 1, 2**32 - 1), values=b"")),
        "at most 8.0 GiB are read into memory",
    ),
    BadInput("idx-gz-cut", "gzip data cut off", idx(GOOD_GZ[:-9]), "the gzip data is corrupt or cut off"),
    BadInput("idx-gz-crc", "a wrong gzip checksum", idx(GOOD_GZ[:-8] + bytes(8)), "CRC check failed"),
    BadInput("idx-gz-tail", "rubbish behind the gzip data", idx(GOOD_GZ + b"rubbish"), "the gzip data is corrupt"),
    BadInput("idx-none", "no examples", idx(idx_bytes((0, 2, 2))), "is empty; expected at least one example"),
    BadInput(
        "idx-missing",
        "one of the four files missing",
        lambda folder: idx_folder(folder, t10k_labels_idx1_ubyte=None),
        "t10k-labels-idx1-ubyte not found, neither plain nor .gz",
    ),
    BadInput(
        "idx-count",
        "more images than labels",
        lambda folder: idx_folder(folder, train_labels_idx1_ubyte=idx_bytes((3,))),
        "4 examples in x_train but 3 labels in y_train",
    ),
    BadInput(
        "idx-range",
        "a test label that the training data does not have",
        lambda folder: idx_folder(folder, t10k_labels_idx1_ubyte=idx_bytes((2,), values=b"\x01\x09")),
        "label 9 of example 1 in y_test is out of range; the training data has 2 classes",
    ),
    BadInput(
        "idx-shape",
        "test images of another size",
        lambda folder: idx_folder(folder, t10k_images_idx3_ubyte=idx_bytes((2, 3, 3))),
        "examples have shape (2, 2) in x_train but (3, 3) in x_test",
    ),
    # npz
    BadInput("npz-text", "no zip file", file("data.npz", b"hello"), "the zip data is corrupt or cut off"),
    BadInput("npz-cut", "a zip file cut in half", npz_raw(lambda c: c[: len(c) // 2]), "the zip data is corrupt"),
    BadInput("npz-crc", "a changed byte", npz_raw(flipped), "Bad CRC-32"),
    BadInput(
        "npz-missing", "an array missing", npz(y_test=None), "no array named y_test; expected one each of x_train"
    ),
    BadInput(
        "npz-objects",
        "a list of unequal arrays, pickled",
        npz(x_train=np.array([[1], [1, 2], [1], [1]], dtype=object)),
        "holds Python objects (often a list of examples of unequal length). Loading them can run code",
    ),
    BadInput(
        "npz-pickle",
        "a pickle that runs code, under an array's name",
        npz_member(pickle.dumps(Evil())),
        "an NPY file starts with 93 4e 55",
    ),
    BadInput(
        "npz-code",
        "an NPY header that is a Python expression",
        npz_member(npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os').getpid(),), }")),
        "the NPY header does not describe a plain array",
    ),
    BadInput(
        "npz-shape",
        "an NPY header that promises 2^62 values",
        npz_member(npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2147483648, 2147483648), }")),
        "truncated: the header promises 2147483648 x 2147483648 values",
    ),
    BadInput(
        "npz-nested",
        "an NPY header of 60,000 brackets",
        npz_member(npy_header("(" * 60_000)),
        "longer than 4096 bytes",
    ),
    BadInput("npz-lie", "a zip directory that claims 4 GiB", npz_raw(lying_directory), "a wrong zip directory"),
    BadInput("npz-secret", "an encrypted member", npz_raw(encrypted), "is encrypted; expected a plain NPZ file"),
    BadInput(
        "npz-bzip2",
        "a compression that NumPy does not write",
        npz_member(npy_bytes(good_arrays()["x_train"]), zipfile.ZIP_BZIP2),
        "zip compression 12; expected stored or deflated",
    ),
    BadInput("npz-text-labels", "names for labels", npz(y_train=np.array(list("abab"))), "holds values of type '<U1'"),
    BadInput(
        "npz-nan", "a value that is not a number", npz(x_train=np.tile(NAN, (2, 2))), "value nan at x_train[1, 1]"
    ),
    BadInput("npz-inf", "an infinite value", npz(x_test=np.full((2, 4), np.inf)), "value inf at x_test[0, 0]"),
    BadInput(
        "npz-huge",
        "a value beyond float32",
        npz(x_train=np.full((4, 4), 1e39)),
        "a finite number that float32 can hold",
    ),
    BadInput("npz-complex", "complex numbers", npz(x_train=np.ones((4, 4), complex)), "expected real numbers"),
    BadInput("npz-negative", "a negative label", npz(y_train=np.array([0, 1, -1, 1])), "label -1 of example 2"),
    BadInput("npz-fraction", "a label of 0.5", npz(y_train=np.array([0, 0.5, 1, 1])), "label 0.5 of example 1"),
    BadInput(
        "npz-price", "quantities for labels", npz(y_train=np.array([0, 250_000, 1, 1])), "label 250000 of example 1"
    ),
    BadInput("npz-one-class", "only one class", npz(y_train=np.zeros(4, int)), "every training label is 0"),
    BadInput(
        "npz-two-hot", "two ones in a one-hot row", npz(y_train=ONE_HOT, y_test=ONE_HOT[:2]), "row 2 of the one-hot"
    ),
    BadInput("npz-mixed", "one-hot for training only", npz(y_train=np.eye(2)[[0, 1, 0, 1]]), "expected the same form"),
    BadInput(
        "npz-flat", "examples without a dimension", npz(x_train=np.ones(4)), "has shape (4,); expected examples first"
    ),
    BadInput(
        "npz-3d-labels", "labels in three dimensions", npz(y_train=np.ones((4, 1, 1))), "labels of shape (4, 1, 1)"
    ),
    # npy folders
    BadInput("npy-missing", "one of the four files missing", npy_folder(x_test=None), "x_test.npy not found"),
    BadInput(
        "npy-cut", "a file cut off", npy_folder(x_train=npy_bytes(NAN)[:-1]), "truncated: the header promises 2 x 2"
    ),
    BadInput("npy-long", "bytes too many", npy_folder(x_train=npy_bytes(NAN) + b"12"), "too long: the header promises"),
    BadInput(
        "npy-version", "an unknown version", npy_folder(x_train=b"\x93NUMPY\x09\0" + bytes(99)), "NPY version 9.0"
    ),
    BadInput("npy-names", "too few class names", with_sidecar('{"name": "x", "class_names": ["a"]}'), "at least two"),
    BadInput("npy-json", "a broken dataset.json", with_sidecar("{"), "dataset.json: not valid JSON"),
    BadInput("npy-deep", "a dataset.json of 100,000 brackets", with_sidecar("[" * 100_000), "not valid JSON"),
    BadInput("npy-sidecar", "a foreign dataset.json", with_sidecar(json.dumps({"name": 1})), "found something else"),
    # CSV
    BadInput("csv-empty", "an empty file", csv(""), "empty; expected a header and rows"),
    BadInput("csv-header", "a header and no rows", csv("age,class\n"), "no rows below the header"),
    BadInput("csv-blank", "a missing value", csv("age,class\n1,a\n,b\n"), "line 3, column 'age': the value is missing"),
    BadInput("csv-na", "a missing value, as pandas spells it", csv("age,class\n1,a\nNaN,b\n"), "line 3, column 'age'"),
    BadInput(
        "csv-label", "a missing label", csv("age,class\n1,a\n2,\n"), "line 3, column 'class': the value is missing"
    ),
    BadInput(
        "csv-inf", "an infinite value", csv("age,class\n1,a\n-inf,b\n"), "line 3, column 'age': -inf is not a finite"
    ),
    BadInput(
        "csv-1e999", "a number beyond any float", csv("age,class\n1,a\n1e999,b\n"), "1e999 is not a finite number"
    ),
    BadInput("csv-mixed", "a typing mistake in a number", csv("age,class\n1,a\n1O,b\n"), "'1O' is not a number"),
    BadInput("csv-mixed-2", "a number among words", csv("city,class\nRome,a\n7,b\n"), "'7' is a number"),
    BadInput("csv-ragged", "a cell too many", csv("age,class\n1,a\n2,b,c\n"), "line 3 has 3 cells; expected 2"),
    BadInput("csv-quote", "a quote that does not end", csv('age,class\n1,"a\n'), "not a comma-separated file"),
    BadInput("csv-latin", "Latin-1 text", csv("age,class\n1,é\n2,b\n".encode("latin-1")), "not UTF-8 text"),
    BadInput("csv-binary", "a binary file", csv(bytes(range(256))), "not UTF-8 text"),
    BadInput("csv-column", "a label column that is not there", csv(GOOD_CSV, label="klass"), "no column 'klass'"),
    BadInput("csv-index", "an index column without name", csv(",age,class\n0,1,a\n"), "column 1 has no name"),
    BadInput("csv-twice", "two columns of one name", csv("age,age,class\n1,1,a\n"), "two columns are named 'age'"),
    BadInput("csv-lonely", "a label and nothing else", csv("class\na\nb\n"), "only the column 'class'"),
    BadInput("csv-one-class", "one class", csv("age,class\n1,a\n2,a\n3,a\n"), "every training row has label 'a'"),
    BadInput("csv-few", "too few rows to split", csv("age,class\n1,a\n2,b\n"), "too few to split off a test split"),
    BadInput("csv-price", "quantities for labels", csv("age,class\n1,2.5\n2,3\n3,2.5\n4,3\n"), "holds 2.5; a label is"),
    BadInput(
        "csv-ids",
        "identifiers as a category",
        csv("id,class\n" + "".join(f"u{i},{'ab'[i % 2]}\n" for i in range(1500))),
        "column 'id': more than 1000 different words",
    ),
    BadInput(
        "csv-new-class",
        "a class that only the test file has",
        csv_pair(GOOD_CSV, "age,city,class\n1,Rome,c\n"),
        "line 2, column 'class': label 'c' does not occur in the training split",
    ),
    BadInput(
        "csv-columns", "a test file of other columns", csv_pair(GOOD_CSV, "age,class\n1,a\n"), "other columns than"
    ),
    BadInput(
        "csv-kinds",
        "a column of numbers that holds words in the test file",
        csv_pair(GOOD_CSV, "age,city,class\nold,Rome,a\n"),
        "column 'age' holds words, but numbers in",
    ),
    BadInput("csv-no-label", "no label named", csv(GOOD_CSV, label=None), "say which column is the class", UsageError),
    BadInput(
        "csv-no-test", "a test file that is not there", csv(GOOD_CSV, test="no.csv"), "`test` is 'no.csv'", UsageError
    ),
    BadInput("csv-nan", "a negative nan", csv("age,class\n1,a\n-nan,b\n"), "-nan is not a finite number"),
    # Parquet
    BadInput(
        "parquet-word", "a missing word", parquet(age=["x", None], **{"class": ["a", "b"]}), "the value is missing;"
    ),
    BadInput("parquet-text", "no Parquet file", parquet_bytes(b"PAR1 hello PAR1"), "not a Parquet file that can be"),
    BadInput("parquet-empty", "an empty file", parquet_bytes(b""), "not a Parquet file that can be"),
    BadInput("parquet-null", "a missing value", parquet(age=[1, None], **{"class": ["a", "b"]}), "row 2, column 'age'"),
    BadInput(
        "parquet-inf", "an infinite value", parquet(age=[1, float("inf")], **{"class": ["a", "b"]}), "row 2, column"
    ),
    BadInput(
        "parquet-blank", "an empty word", parquet(age=["x", " "], **{"class": ["a", "b"]}), "the value is missing ('')"
    ),
    BadInput("parquet-list", "a column of lists", parquet(age=[[1], [2]], **{"class": ["a", "b"]}), "has type list<"),
    BadInput("parquet-rows", "no rows", parquet(age=[], **{"class": []}), "no rows"),
    # Images
    BadInput("image-text", "text under an image's name", images(train__a__0=b"hello"), "not a PNG, JPEG"),
    BadInput("image-gif", "a GIF under another name", images(train__a__0=b"GIF89a" + bytes(20)), "not a PNG, JPEG"),
    BadInput("image-cut", "an image cut off", images(train__a__0=png(50, 50, fill=7)[:-30]), "cannot be decoded"),
    BadInput(
        "image-bomb", "30,000 x 30,000 pixels claimed", images(train__a__0=png_header_only(30_000, 30_000)), "pixels"
    ),
    BadInput(
        "image-large",
        "5,000 x 5,000 pixels claimed",
        images(test__a__0=png_header_only(5000, 5000)),
        "5000 x 5000 pixels",
    ),
    BadInput(
        "image-size", "an image of another size", images(test__b__1=png(3, 2)), "1.png: 3 x 2 grey, but the first"
    ),
    BadInput("image-colour", "one image in colour", images(test__b__1=png(mode="RGB")), "2 x 2 colour, but the first"),
    BadInput("image-alpha", "a transparent image", images(train__a__0=png(mode="RGBA")), "is transparent somewhere"),
    BadInput("image-16", "16 bits a pixel", images(train__a__0=png(mode="I;16")), "pixels of mode I;16"),
    BadInput(
        "image-stray",
        "another file among the images",
        images(**{"train__a__notes.txt": b""}),
        "notes.txt: not an image",
    ),
    BadInput(
        "image-class", "a class that only `test` has", images(test__c__0=png()), "class 'c' is not among the training"
    ),
    BadInput(
        "image-none", "a class without training images", images(train__c__=None), "class 'c' has no training images"
    ),
    # Names and options
    BadInput("name", "a name with a typing mistake", named("mnits"), "Did you mean mnist?", UnknownNameError),
    BadInput("name-empty", "an empty name", named(""), "no such name, file or folder", UnknownNameError),
    BadInput(
        "name-nul", "a name that no file can have", named("a\0b"), "no such name, file or folder", UnknownNameError
    ),
    BadInput("name-long", "a name of 5,000 letters", named("x" * 5000), "File name too long"),
    BadInput("name-home", "a home that nobody has", named("~nobody-here/x"), "home directory", UnknownNameError),
    BadInput("sklearn", "a regression set", named("sklearn:diabetes"), "not one of sklearn:iris", UnknownNameError),
    BadInput("keras", "sequences of unequal length", named("keras:imdb"), "not one of keras:mnist", UnknownNameError),
    BadInput(
        "suffix", "a kind of file that is not understood", file("data.xlsx"), "is not understood", UnknownNameError
    ),
    BadInput("folder", "an empty folder", lambda folder: DataSpec(str(folder)), "nothing in this folder is understood"),
    BadInput("label", "`label` for MNIST", named("mnist", label="x"), "`label` means nothing for mnist", UsageError),
    BadInput(
        "fraction",
        "a test split of everything",
        named("sklearn:iris", test_fraction=1.0),
        "between 0 and 1",
        UsageError,
    ),
    BadInput(
        "both",
        "two test splits",
        csv(GOOD_CSV, test="a.csv", test_fraction=0.5),
        "both `test` and `test_fraction`; expected one of them",
        UsageError,
    ),
    BadInput("scale", "pixels divided by zero", named("mnist", scale=0.0), "expected a number above 0", UsageError),
    BadInput(
        "scales", "scaled and standardized", named("mnist", scale=255.0, standardize=True), "`scale` has", UsageError
    ),
)
