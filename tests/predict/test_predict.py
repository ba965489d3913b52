"""``paribus predict``: stored networks asked about pictures; what is done to a picture is said."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from data_files import png_header_only
from paribus.cli.predictions import predictions_fields, render_predictions
from paribus.data import Dataset, from_arrays, load, read_image
from paribus.errors import DataError, UsageError
from paribus.predict.arms import ArmPredictions, predict_arms
from paribus.predict.convert import convert_picture
from paribus.predict.inputs import read_inputs
from paribus.predict.picture_format import PictureFormat, read_format
from paribus.records import DataSpec
from paribus.results.selection import select_runs
from paribus.results.stored_study import open_results
from paribus.store.sqlite import SqliteStore

DIGITS, MNIST = DataSpec("digits", 16, flatten=True), DataSpec("mnist", 255, flatten=True)
TOLD = 30
"""Test pictures that are written as files."""


@pytest.fixture
def opened(trained_studies: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(trained_studies, "read") as found:
        yield found


@pytest.fixture(scope="module")
def mnist() -> Dataset:
    return load(DataSpec("mnist"))


def saved(folder: Path, pictures: NDArray[Any], suffix: str = "png") -> list[Path]:
    """Grey pictures with values 0 to 255 as files."""
    paths = [folder / f"{index}.{suffix}" for index in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(picture.astype(np.uint8)).save(path)
    return paths


def seven(size: int = 300, ink: int = 0, paper: int = 255) -> NDArray[np.uint8]:
    """A drawn seven, off the centre."""
    drawn = Image.new("L", (size + 60, size), paper)
    line = [(0.2 * size, 0.2 * size), (0.6 * size, 0.2 * size), (0.35 * size, 0.8 * size)]
    ImageDraw.Draw(drawn).line(line, fill=ink, width=size // 14, joint="curve")
    return np.asarray(drawn)


# The networks


def test_test_pictures_saved_as_png_give_the_stored_answers(opened: SqliteStore, tmp_path: Path) -> None:
    results = open_results("digits", opened)
    # 16 shades of grey as anybody would save them: white is 255.
    files = saved(tmp_path, np.rint(load(DataSpec("digits")).x_test[:TOLD] * (255 / 16)))
    answers = {each.arm: each for each in predict_arms(select_runs(results), read_inputs(files, DIGITS))}
    assert list(answers) == ["small", "large", "large-dropout"]
    for arm in results.arms:
        for at, run in enumerate(arm.runs):
            stored, found = opened.predictions(run.fingerprint), answers[arm.name]
            assert np.array_equal(found.predicted[at], stored.predicted[:TOLD])
            confidence = found.probabilities[at].max(axis=1)
            np.testing.assert_allclose(confidence, stored.confidence[:TOLD], rtol=1e-5)


@pytest.mark.parametrize("study", ["digits", "logits", "binary"])
def test_arrays_are_prepared_exactly_as_in_training(study: str, opened: SqliteStore, tmp_path: Path) -> None:
    """Standardized on what was trained on, a validation split left out; logits; one output for two classes."""
    results = open_results(study, opened)
    spec = results.document.data.spec()
    np.save(tmp_path / "test.npy", load(replace(spec, flatten=False)).x_test)
    for each in predict_arms(select_runs(results), read_inputs([tmp_path / "test.npy"], spec)):
        for at, run in enumerate(results.arm(each.arm).runs):
            stored = opened.predictions(run.fingerprint)
            assert np.array_equal(each.predicted[at], stored.predicted)
            given = np.take_along_axis(each.probabilities[at], stored.predicted[:, None].astype(int), axis=1)[:, 0]
            np.testing.assert_allclose(given, stored.confidence, rtol=1e-4)


def test_answers_over_the_seeds(opened: SqliteStore, tmp_path: Path) -> None:
    files = saved(tmp_path, load(DataSpec("digits")).x_test[:1] * 15)
    inputs = read_inputs(files, DIGITS)
    given = np.array([[[0.6, 0.4]], [[0.1, 0.9]], [[0.3, 0.7]]], np.float32)
    answer = ArmPredictions("a", (0, 1, 2), given, np.array([[0], [1], [1]], np.int32), (None,) * 3)
    (image,) = predictions_fields("s", ("no", "yes"), inputs, [answer])["images"]
    (found,) = image["arms"]
    assert (found["class"], found["name"], found["seeds_that_say_so"]) == (1, "yes", 2)
    assert found["probability"] == pytest.approx(2 / 3)
    yes = found["probabilities"][1]
    assert (yes["low"], yes["high"]) == (pytest.approx(0.4), pytest.approx(0.9))
    assert yes["sd"] == pytest.approx(np.std([0.4, 0.9, 0.7], ddof=1))
    assert [each["class"] for each in found["seeds"]] == [0, 1, 1]


# Pictures


def test_a_picture_like_the_datas_is_left_alone(mnist: Dataset, tmp_path: Path) -> None:
    files = saved(tmp_path, mnist.x_test[:TOLD])
    found = read_inputs(files, MNIST)
    assert np.array_equal(found.x, mnist.x_test[:TOLD].reshape(TOLD, -1))
    assert all(each.prepared == () for each in found.inputs)


def test_dark_ink_on_light_paper_is_inverted_and_said(mnist: Dataset, tmp_path: Path) -> None:
    files = saved(tmp_path, 255 - mnist.x_test[:TOLD])
    found = read_inputs(files, MNIST)
    assert np.array_equal(found.x, mnist.x_test[:TOLD].reshape(TOLD, -1))
    said = "inverted (its border is brighter than the rest, and mnist has a dark background)"
    assert all(each.prepared == (said,) for each in found.inputs)
    kept = read_inputs(files, MNIST, invert=False)
    assert np.array_equal(kept.x, 255 - found.x)
    assert not kept.inputs[0].prepared
    asked = read_inputs(saved(tmp_path, mnist.x_test[:1]), MNIST, invert=True)
    assert asked.inputs[0].prepared == ("inverted (as asked, and mnist has a dark background)",)


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (60, 200)])
def test_a_drawing_is_brought_into_the_form_of_mnist(mnist: Dataset, ink: int, paper: int) -> None:
    example, notes = convert_picture(seven(ink=ink, paper=paper), read_format(mnist), "seven.png")
    assert (example.shape, example.dtype, example.max()) == ((28, 28), np.uint8, 255)
    assert notes[-1].startswith("360 x 300 pixels: the ink cut out, scaled into 20 x 20")
    assert any("inverted" in note for note in notes) == (paper > ink)
    rows, columns = np.nonzero(example > 64)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20, 21)
    weights = example / example.sum()
    centre = [(weights.sum(axis=1 - axis) * (np.arange(28) + 0.5)).sum() for axis in (0, 1)]
    assert centre == pytest.approx([14, 14], abs=1)
    assert example[0].max() == 0


def test_a_noisy_photograph_in_colour(mnist: Dataset, tmp_path: Path) -> None:
    grey = seven(ink=40, paper=210).astype(float)
    photo = np.stack([grey, grey * 0.97, grey * 0.9], axis=2) + np.random.default_rng(0).normal(0, 4, (*grey.shape, 3))
    (file,) = saved(tmp_path, photo.clip(0, 255)[None], "jpg")
    found = read_inputs([file], MNIST)
    assert found.inputs[0].prepared[0] == "colour turned to grey"
    clean, _ = convert_picture(seven(), read_format(mnist), "clean")
    assert np.corrcoef(found.x[0], clean.reshape(-1))[0, 1] > 0.97


def test_a_phones_picture_is_turned_and_that_is_said(mnist: Dataset, tmp_path: Path) -> None:
    upright, exif = seven(), Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(upright)).save(tmp_path / "phone.png", exif=exif)
    Image.fromarray(upright).save(tmp_path / "scan.png")
    found = read_inputs([tmp_path / "phone.png", tmp_path / "scan.png"], MNIST)
    assert np.array_equal(found.x[0], found.x[1])
    phone, scan = (each.prepared for each in found.inputs)
    assert phone == ("turned as its camera noted", *scan)


def test_other_data_is_padded_and_resized() -> None:
    light = PictureFormat("sketches", (10, 20), 1.0, False, "light", "")
    example, notes = convert_picture(seven(100, ink=255, paper=0), light, "x.png")
    assert example.shape == (10, 20)
    assert example.dtype == np.float32
    assert (example[0, 0], example.max()) == (1, 1)
    first, second, third = notes
    assert first == "inverted (its border is darker than the rest, and sketches has a light background)"
    assert second == "padded and resized from 160 x 100 to 20 x 10"
    assert third == "values 0 to 255 brought to 0 to 1"


def test_colour_data_reads_grey_pictures_and_never_inverts() -> None:
    photos = PictureFormat("photos", (8, 8, 3), 255.0, True, None, "")
    example, notes = convert_picture(seven(64), photos, "x.png")
    assert example.shape == (8, 8, 3)
    assert notes == ("grey repeated in three channels", "padded and resized from 124 x 64 to 8 x 8")


def test_the_ground_and_white_are_told_from_the_data(mnist: Dataset) -> None:
    assert (read_format(mnist).background, read_format(mnist).top, read_format(mnist).whole) == ("dark", 255, True)
    assert (read_format(load(DataSpec("digits"))).top, read_format(load(DataSpec("digits"))).background) == (
        16,
        "dark",
    )
    x = np.ones((6, 4, 4, 1))
    x[:, 1:3, 1:3] = 0.3
    paper = read_format(from_arrays(x, [0, 1] * 3, x, [0, 1] * 3))
    assert (paper.background, paper.top, paper.whole, paper.shape) == ("light", 1, False, (4, 4, 1))
    mixed = read_format(from_arrays(x * 0.5, [0, 1] * 3, x, [0, 1] * 3))
    assert mixed.background is None


# What is refused


def test_files_that_cannot_be_used(mnist: Dataset, tmp_path: Path) -> None:
    def refused(name: str, content: bytes | NDArray[Any], spec: DataSpec = MNIST) -> str:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif path.suffix == ".npy":
            np.save(path, content)
        else:
            Image.fromarray(content).save(path)
        with pytest.raises((DataError, UsageError)) as caught:
            read_inputs([path], spec)
        assert name in str(caught.value) or spec.source in str(caught.value)
        return str(caught.value)

    assert "a picture is a .png, .jpg" in refused("x.gif", b"GIF89a")
    assert "not a PNG, JPEG, WebP or BMP image" in refused("x.png", b"GIF89a" + bytes(20))
    assert "more pixels than the 16777216" in refused("bomb.png", png_header_only(30_000, 30_000))
    assert "nothing stands out" in refused("blank.png", np.full((50, 50), 255, np.uint8))
    assert "expected one example of shape (28, 28), or several of them (n, 28, 28)" in refused(
        "s.npy", np.zeros((5, 5))
    )
    assert "expected one example" in refused("empty.npy", np.zeros((0, 28, 28)))
    assert "not finite numbers" in refused("nan.npy", np.full((28, 28), np.nan))
    assert "Python objects" in refused("code.npy", np.array([[{}]], dtype=object))
    assert "which is not a picture; pass the example as numbers" in refused(
        "iris.png", np.zeros((2, 2), np.uint8), DataSpec("sklearn:iris")
    )
    with pytest.raises(DataError, match="there is no such file"):
        read_inputs([tmp_path / "nowhere.png"], MNIST)


def test_data_whose_white_nobody_knows() -> None:
    x = np.random.default_rng(0).normal(size=(6, 4, 4))
    with pytest.raises(UsageError, match="black and white are not known"):
        read_format(from_arrays(x, [0, 1] * 3, x, [0, 1] * 3))


def test_a_flat_example_and_several_in_one_file(mnist: Dataset, tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", mnist.x_test[0].reshape(-1))
    np.save(tmp_path / "three.npy", mnist.x_test[:3])
    found = read_inputs([tmp_path / "one.npy", tmp_path / "three.npy"], MNIST)
    assert [each.index for each in found.inputs] == [None, 0, 1, 2]
    assert np.array_equal(found.x, mnist.x_test[[0, 0, 1, 2]].reshape(4, -1))


# The command


def test_the_command(trained_studies: Path, tmp_path: Path) -> None:
    (file,) = saved(tmp_path, np.rint(load(DataSpec("digits")).x_test[:1] * (255 / 16)))
    command = [sys.executable, "-m", "paribus", "predict", str(file), "--study", "digits", "--arm", "large"]
    done = subprocess.run(
        [*command, "--store", str(trained_studies), "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (image,) = json.loads(done.stdout)["images"]
    assert image["prepared"] == ["values 0 to 255 brought to 0 to 16"]
    assert [(arm["arm"], len(arm["seeds"]), len(arm["probabilities"])) for arm in image["arms"]] == [("large", 2, 10)]
    assert read_image(file).shape == (8, 8)


def test_the_table(opened: SqliteStore, tmp_path: Path) -> None:
    from rich.console import Console

    files = saved(tmp_path, np.rint(load(DataSpec("digits")).x_test[:2] * (255 / 16)))
    inputs = read_inputs(files, DIGITS)
    answers = list(predict_arms(select_runs(open_results("digits", opened), ["small"]), inputs))
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(render_predictions("digits", inputs.data.class_names, inputs, answers))
    text = console.export_text()
    assert text.count("as digits sees it: values 0 to 255 brought to 0 to 16") == 2
    assert text.count("of 2") == 2
