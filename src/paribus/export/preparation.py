"""How a network's inputs are prepared, said so that anybody can do it without paribus: as values, in words, as code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from paribus.data import Standardization, load, standardization
from paribus.data.training import divide_training_split
from paribus.results.stored_study import StoredResults


@dataclass(frozen=True, slots=True, eq=False)
class Preparation:
    """What happens to an example before a network reads it.

    Attributes:
        example_shape: the shape that it has first.
        scale: what it is divided by, if anything.
        standard: what is subtracted from it and what it is divided by, feature by feature, if anything.
    """

    example_shape: tuple[int, ...]
    scale: float | None
    standard: Standardization | None

    def values(self) -> dict[str, Any]:
        """For a manifest; float32 numbers are written so that they read back to the same bits."""
        standard = self.standard
        return {
            "example_shape": list(self.example_shape),
            "scale": self.scale,
            "mean": None if standard is None else standard.mean.tolist(),
            "deviation": None if standard is None else standard.deviation.tolist(),
            "words": self.words(),
        }

    def words(self) -> str:
        """One sentence."""
        steps = ["Take the examples as the data has them, as float32"]
        if self.standard is not None:
            steps.append("subtract `mean` and divide by `deviation`, both taken from what was trained on")
        elif self.scale is not None:
            steps.append(f"divide by {self.scale:g}")
        return f"{', '.join(steps)}, and give each the network's `input_shape`."

    def code(self) -> str:
        """A Python function of the examples and a network's entry in the manifest."""
        shape = ", ".join(str(size) for size in self.example_shape)
        lines = ["def prepare(x, network):", f'    x = np.asarray(x, "float32").reshape(-1, {shape})']
        if self.standard is not None:
            lines.append(
                '    mean, deviation = (np.float32(manifest["preparation"][k]) for k in ("mean", "deviation"))'
            )
            lines.append("    x = (x - mean) / deviation")
        elif self.scale is not None:
            lines.append(f"    x = x / np.float32({self.scale!r})")
        return "\n".join([*lines, '    return x.reshape(-1, *network["input_shape"])'])


def preparation(results: StoredResults) -> Preparation:
    """How a study's data is prepared; the data is read only where it is standardized.

    Raises:
        DataError: the data can no longer be read.
    """
    spec, standard = results.document.data.spec(), None
    if spec.standardize:
        data = load(spec)
        training = results.document.protocol.training()
        parts = divide_training_split(data, training.validation_split, training.validation)
        standard = standardization(data.x_train, parts.trained)
    return Preparation(results.data.input_shape, spec.scale, standard)
