"""A long fuzzing run of everything that reads a file: ``python tests/fuzz.py --minutes 10``.

Each reader gets files made of sound ones by a few mutations: of bytes, of numbers in headers, of pieces of other
files, under a checksum or a compression that is right again. What comes of a file must be valid data or an error of
ours, within a few seconds and a bounded memory. A file with an outcome that was not seen before (another message, in
which digits and quotations do not count) is kept, and mutated further.
"""

from __future__ import annotations

import argparse
import gzip
import io
import re
import resource
import signal
import struct
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from data_files import GOOD_CSV, archive, good_arrays, idx_bytes, jpeg, npy_bytes, png, table_bytes
from paribus.data import idx, load, npy, read_image
from paribus.errors import ParibusError
from paribus.records import DataSpec
from paribus.study import builtin
from paribus.study.load import load_study
from paribus.study.overrides import override

SECONDS = 10
"""An input that takes longer is a failure."""
MEMORY = 6 << 30
"""Of address space. An input that wants more fails with MemoryError, which is none of ours."""
LARGEST = 200_000
KEPT = 2000
NUMBERS = [0, 1, 2, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1]
WORDS = [
    b"nan",
    b"inf",
    b"1e999",
    b"-1",
    b'"',
    b"'",
    b"[",
    b"]",
    b"{",
    b"}",
    b"=",
    b",",
    b"\n",
    b"\0",
    b"\xff",
    b"9" * 30,
]

ESTIMATORS = """\
name = "baselines"
data = { source = "digits", scale = 16, flatten = true }
[arms.linear]
estimator = { LogisticRegression = { C = 0.5, max_iter = 200 } }
[arms.calibrated]
estimator = { CalibratedClassifierCV = { ensemble = false, estimator = { SVC = { C = 4.0 } } } }
[arms.piped]
estimator = { Pipeline = { steps = [["scale", "StandardScaler"], ["svc", { SVC = { C = 2.0 } }]] } }
"""

Wrap = Callable[[bytes], bytes]


def plain(content: bytes) -> bytes:
    return content


def zipped(content: bytes) -> bytes:
    """An NPZ archive whose x_train is this."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("x_train.npy", content)
        for name, array in good_arrays().items():
            if name != "x_train":
                written.writestr(f"{name}.npy", npy_bytes(array))
    return stream.getvalue()


def packed(content: bytes) -> bytes:
    return gzip.compress(content, 1, mtime=0)


def summed(content: bytes) -> bytes:
    """A PNG whose chunks have right checksums, as far as it still has chunks."""
    found, place = bytearray(content[:8]), 8
    while place + 8 <= len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        body = content[place + 4 : place + 8 + length]
        found += content[place : place + 4] + body + struct.pack(">I", zlib.crc32(body))
        place += 12 + length
    return bytes(found)


@dataclass
class Reader:
    """What reads files of one kind, with sound files to start from and ways to make a mutated one whole again."""

    name: str
    suffix: str
    read: Callable[[Path], object]
    seeds: Sequence[bytes]
    wraps: Sequence[Wrap] = (plain,)
    tried: int = 0
    valid: int = 0
    refusals: set[str] = field(default_factory=set)
    corpus: list[bytes] = field(default_factory=list)

    def attempt(self, content: bytes, wrap: Wrap, path: Path) -> None:
        """Read one file; another error than ours goes through."""
        path.write_bytes(wrap(content))
        self.tried += 1
        try:
            self.read(path)
        except ParibusError as error:
            outcome = re.sub(r"'[^']*'|\"[^\"]*\"|\d+|\b[0-9a-f]{2}\b", "", str(error))[:120]
            if outcome not in self.refusals and len(self.corpus) < KEPT:
                self.corpus.append(content)
            self.refusals.add(outcome)
        else:
            self.valid += 1


def readers() -> list[Reader]:
    arrays = [npy_bytes(array) for array in good_arrays().values()]
    images = [png(9, 9, fill=5), png(9, 9, "RGB"), png(9, 9, "P"), png(9, 9, "RGBA"), png(9, 9, "LA"), png(9, 9, "1")]
    tables = [GOOD_CSV.encode(), b'a,"b ""c""\n",class\n' + b"1,2,3\n4,5,6\n" * 4]
    texts = [builtin.text(name).encode() for name in builtin.NAMES]
    texts += [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "examples").glob("*.toml"))]
    texts.append(ESTIMATORS.encode())
    indexed = [idx_bytes(), idx_bytes((4,)), *(idx_bytes((2, 3), code=code, values=bytes(48)) for code in (9, 11, 14))]

    def labelled(path: Path) -> object:
        return load(DataSpec(str(path), label="class"))

    return [
        Reader("IDX", ".idx", idx.read, indexed),
        Reader("IDX, packed", ".gz", idx.read, indexed, (packed,)),
        Reader("npy", ".npy", npy.read, arrays),
        Reader("npz", ".npz", lambda path: load(DataSpec(str(path))), [archive(packed=False), archive(packed=True)]),
        Reader("npz, one array", ".npz", lambda path: load(DataSpec(str(path))), arrays, (zipped,)),
        Reader("PNG", ".png", read_image, images, (plain, summed)),
        Reader("JPEG", ".jpg", read_image, [jpeg()]),
        Reader("TOML", ".toml", lambda path: override(load_study(str(path))), texts),
        Reader("CSV", ".csv", labelled, tables),
        Reader("Parquet", ".parquet", labelled, table_bytes()),
    ]


def mutated(reader: Reader, random: Random) -> bytes:
    """A sound file, or one that has led somewhere, with a few changes."""
    pool = reader.corpus if reader.corpus and random.random() < 0.5 else reader.seeds
    content = bytearray(random.choice(pool))
    for _ in range(random.choice([1, 1, 2, 3, 8])):
        place = random.randrange(len(content) + 1)
        end = place + random.choice([1, 2, 4, 8, 40])
        match random.randrange(8):
            case 0:
                content[place : place + 1] = bytes([random.choice([0, 1, 127, 128, 255, random.randrange(256)])])
            case 1 if place < len(content):
                content[place] ^= 1 << random.randrange(8)
            case 2:
                content[place:place] = random.randbytes(random.randrange(8))
            case 3:
                del content[place:end]
            case 4:
                other = random.choice(reader.seeds)
                start = random.randrange(len(other))
                content[place:end] = other[start : start + random.randrange(64)]
            case 5:
                form = random.choice("<>") + random.choice("HIQ")
                number = random.choice(NUMBERS) % (1 << (8 * struct.calcsize(form)))
                content[place : place + struct.calcsize(form)] = struct.pack(form, number)
            case 6:
                content[place:place] = random.choice(WORDS) * random.choice([1, 1, 2, 50])
            case _:
                del content[place:]
    return bytes(content[:LARGEST])


def _too_long(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS} s for one input")


def main() -> None:
    parser = argparse.ArgumentParser(description="Feed mutated files to every reader and count what comes of them.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    random, end = Random(asked.seed), time.monotonic() + 60 * asked.minutes
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _too_long)
    every = readers()
    spent = dict.fromkeys((reader.name for reader in every), 0.0)
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end:
            # Whoever has had least of the time goes next, so that all get their share.
            reader = min(every, key=lambda each: spent[each.name])
            path, started = Path(folder) / f"mutated{reader.suffix}", time.monotonic()
            for _ in range(50):
                signal.alarm(SECONDS)
                try:
                    reader.attempt(mutated(reader, random), random.choice(reader.wraps), path)
                except BaseException:
                    kept = Path(f"fuzz-failure{reader.suffix}")
                    kept.write_bytes(path.read_bytes())
                    print(f"{reader.name}: not an error of ours; the file is kept as {kept}", file=sys.stderr)
                    raise
            signal.alarm(0)
            spent[reader.name] += time.monotonic() - started
    print("reader            tried     valid   refused  kinds of refusal")
    for reader in every:
        counts = f"{reader.tried:9,} {reader.valid:9,} {reader.tried - reader.valid:9,} {len(reader.refusals):6,}"
        print(f"{reader.name:14}{counts}")
    print(f"{sum(reader.tried for reader in every):,} inputs in {asked.minutes:g} minutes, no crash")


if __name__ == "__main__":
    main()
