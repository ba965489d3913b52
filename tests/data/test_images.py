import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_files import png
from paribus.data import images, load, read_image, summarize
from paribus.errors import DataError, UsageError
from paribus.records import DataSpec


def write(path: Path, pixels: np.ndarray, kind: str = "PNG") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, kind)


def grey(value: int) -> np.ndarray:
    return np.full((3, 4), value, np.uint8)


def test_train_and_test_folders(tmp_path: Path):
    for part, offset in (("train", 0), ("test", 100)):
        for label, name in enumerate(("ant", "bee")):
            for i in range(9):
                write(tmp_path / part / name / f"{i}.png", grey(offset + 10 * label + i))
    (tmp_path / "train" / "ant" / ".DS_Store").write_bytes(b"x")
    data = load(DataSpec(str(tmp_path)))
    assert data.class_names == ("ant", "bee")
    assert data.x_train.shape == (18, 3, 4)
    assert data.x_train.dtype == np.uint8
    # Every image carries its class in its pixels.
    assert np.array_equal(data.x_train[:, 0, 0] // 10, data.y_train)
    assert sorted(data.x_train[:, 0, 0]) == [*range(9), *range(10, 19)]
    # In a mixed order: a validation split taken from the end has both classes.
    assert set(data.y_train[-6:].tolist()) == {0, 1}
    assert np.array_equal((data.x_test[:, 0, 0] - 100) // 10, data.y_test)
    assert data.summary() == summarize(DataSpec(str(tmp_path)))
    with pytest.raises(DataError, match="leave `test_fraction` out"):
        load(DataSpec(str(tmp_path), test_fraction=0.5))


def test_one_folder_is_split_by_class_the_same_way_every_time(tmp_path: Path):
    for label, name in enumerate(("ant", "bee")):
        for i in range(8):
            write(tmp_path / name / f"{i}.png", grey(10 * label + i))
    data = load(DataSpec(str(tmp_path)))
    assert np.bincount(data.y_test).tolist() == [2, 2]
    assert np.array_equal(data.x_train[:, 0, 0] // 10, data.y_train)
    assert len({*data.x_train[:, 0, 0].tolist(), *data.x_test[:, 0, 0].tolist()}) == 16
    assert data.fingerprint == "0797dc7d45e5610bddde83a3d7d38546c2bcfd7db5d470992af95365048a62b0"
    assert np.bincount(load(DataSpec(str(tmp_path), test_fraction=0.5)).y_test).tolist() == [4, 4]
    with pytest.raises(UsageError, match="`label` means nothing for a folder of images"):
        load(DataSpec(str(tmp_path), label="x"))


def test_colour_and_jpeg(tmp_path: Path):
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[..., 0] = 200
    write(tmp_path / "a" / "x.jpeg", pixels, "JPEG")
    write(tmp_path / "a" / "y.PNG", pixels)
    found = [read_image(path) for path in sorted((tmp_path / "a").iterdir())]
    assert [each.shape for each in found] == [(8, 8, 3)] * 2
    assert np.abs(found[0].astype(int) - pixels).max() <= 3
    assert np.array_equal(found[1], pixels)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (1, 1), 7), 7),
        (Image.new("1", (1, 1), 1), 255),
        (Image.new("RGB", (1, 1), (1, 2, 3)), [1, 2, 3]),
        (Image.new("RGB", (1, 1), (1, 2, 3)).quantize(), [1, 2, 3]),
        (Image.new("RGBA", (1, 1), (1, 2, 3, 255)), [1, 2, 3]),
        (Image.new("LA", (1, 1), (9, 255)), 9),
    ],
    ids=lambda value: getattr(value, "mode", ""),
)
def test_opaque_pngs_of_every_mode_are_read(tmp_path: Path, image, expected):
    image.save(tmp_path / "x.png")
    assert read_image(tmp_path / "x.png").tolist() == [[expected]]


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_an_image_is_turned_as_its_camera_noted(tmp_path: Path, kind: str):
    """For every note: the eight ways to hold a camera, and what is no way."""
    upright = np.repeat(np.repeat(np.array([[0, 80, 160], [240, 40, 120]], np.uint8), 8, axis=0), 8, axis=1)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
        9: upright,
    }
    for note, pixels in stored.items():
        exif = Image.Exif()
        exif[0x0112] = note
        path = tmp_path / f"{note}.{kind}"
        Image.fromarray(np.ascontiguousarray(pixels)).save(
            path, exif=exif, **({"quality": 100} if kind == "jpg" else {})
        )
        picture = images.read_picture(path)
        assert picture.turned == (2 <= note <= 8)
        assert np.abs(picture.pixels.astype(int) - upright).max() <= 2, note
    Image.fromarray(upright).save(tmp_path / f"x.{kind}", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05cut")
    assert not images.read_picture(tmp_path / f"x.{kind}").turned, "a note that cannot be read"


def test_odd_notes_of_other_things_change_nothing(tmp_path: Path):
    """Software (0x0131) as a fraction, a make that is a number: Pillow cannot write them again."""
    from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

    header = b"MM\0*\0\0\0\x08"
    notes = ImageFileDirectory_v2(header)
    notes[0x0112] = 6
    notes.tagtype[0x0131] = 5
    notes[0x0131] = IFDRational(1, 3)
    Image.new("L", (4, 2), 7).save(tmp_path / "x.jpg", exif=b"Exif\0\0" + header + notes.tobytes(8))
    picture = images.read_picture(tmp_path / "x.jpg")
    assert picture.turned
    assert picture.pixels.shape == (4, 2)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_refused(tmp_path: Path, mode):
    Image.new(mode, (2, 2), 0).save(tmp_path / "x.png")
    with pytest.raises(DataError, match="transparent somewhere"):
        read_image(tmp_path / "x.png")


def test_a_transparent_colour_that_is_used_is_refused(tmp_path: Path):
    Image.new("L", (2, 2), 5).save(tmp_path / "x.png", transparency=5)
    with pytest.raises(DataError, match="transparent somewhere"):
        read_image(tmp_path / "x.png")
    Image.new("L", (2, 2), 5).save(tmp_path / "y.png", transparency=6)
    assert read_image(tmp_path / "y.png").tolist() == [[5, 5], [5, 5]]


def test_cmyk_is_refused(tmp_path: Path):
    stream = io.BytesIO()
    Image.new("CMYK", (8, 8)).save(stream, "JPEG")
    (tmp_path / "x.jpg").write_bytes(stream.getvalue())
    with pytest.raises(DataError, match="pixels of mode CMYK"):
        read_image(tmp_path / "x.jpg")


def test_missing_and_unreadable_files_are_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"none\.png: cannot be decoded: .*No such file"):
        read_image(tmp_path / "none.png")


def test_too_many_images_are_refused_before_memory_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in "ab":
        for i in range(4):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / f"{i}.png").write_bytes(png())
    monkeypatch.setattr(images, "MAX_ARRAY_BYTES", 20)
    with pytest.raises(DataError, match=r"6 images of \(2, 2\) take 24 bytes"):
        load(DataSpec(str(tmp_path)))
