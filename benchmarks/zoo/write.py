"""Write every network's study and data into a folder: `python -m benchmarks.zoo.write FOLDER [NETWORK ...]`.

A process of its own, because it needs Keras, which the harness does without.
"""

from __future__ import annotations

import sys
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
    target, *names = sys.argv[1:]
    for name in names or NETWORKS:
        write(name, NETWORKS[name], Path(target) / name)
