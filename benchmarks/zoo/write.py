"""Write networks' studies and data into a folder: `python -m benchmarks.zoo.write FOLDER [NETWORK ...] [--batch N]`.

A process of its own, because it needs Keras, which the harness does without.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from paribus.engine import environment

environment.prepare()

import numpy as np  # noqa: E402

from benchmarks.zoo.networks import NETWORKS, Network, draw  # noqa: E402

STUDY = """name = "zoo-{name}"
question = "How fast does it train?"
seeds = 2

[data]
source = "data.npz"
{scale}
[protocol]
loss = "categorical_crossentropy"
epochs = 10
batch_size = {batch}

[arms.{name}]
optimizer = "Adam"
model = '''{model}'''
"""


def write(name: str, network: Network, folder: Path) -> None:
    """The study and its data, in a folder of the network's name."""
    folder.mkdir()
    np.savez(folder / "data.npz", **draw(network))  # type: ignore[arg-type]  # NumPy's stub has a named argument
    scale = "scale = 255\n" if network.kind == "pixels" else ""
    text = STUDY.format(name=name, scale=scale, batch=network.batch, model=network.build().to_json())
    (folder / "study.toml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo.write")
    parser.add_argument("folder", type=Path)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="only these")
    parser.add_argument("--batch", type=int, help="examples of a batch, if not the network's own")
    options = parser.parse_args()
    for name in options.networks or NETWORKS:
        network = NETWORKS[name]
        write(name, replace(network, batch=options.batch or network.batch), options.folder / name)
