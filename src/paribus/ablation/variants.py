"""What a model would be without each of its parts, or with one of them changed: one variant a part."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from paribus.ablation import edits, families
from paribus.keras_config.graph import Json

OptimizerTable = dict[str, dict[str, Any]]
"""An optimizer as a study file writes it."""

AS_IT_IS = "as-it-is"
"""The name of the unchanged model's arm."""

Edit = Callable[[Json], str]


@dataclass(frozen=True, slots=True)
class Variant:
    """The model with one part left out or changed.

    Attributes:
        name: a name for an arm, such as ``no-dropout``.
        part: what the difference between the model as it is and this one measures, such as ``dropout``.
        change: what was done, in words.
        model: the changed config; the model's own where only the optimizer changes.
        optimizer: the optimizer.
    """

    name: str
    part: str
    change: str
    model: Json
    optimizer: OptimizerTable


def variants(model: Json, optimizer: OptimizerTable) -> tuple[Variant, ...]:
    """Take a model apart, one part at a time.

    Args:
        model: the config of a Sequential or functional model, as ``keras.saving.serialize_keras_object`` says it. Of a
            model with a ``call`` of its own only the optimizer can be changed.
        optimizer: its optimizer.
    """
    tried = []
    for name, part, edit in _edits(model):
        changed = copy.deepcopy(model)
        change = edit(changed)
        if change:
            tried.append(Variant(name, part, change, changed, optimizer))
    tried += [Variant(name, part, change, model, other) for name, part, change, other in _optimizers(optimizer)]
    return tuple(tried)


def _edits(model: Json) -> Iterator[tuple[str, str, Edit]]:
    for family in families.FAMILIES:
        yield f"no-{family.name}", family.part, partial(edits.without_family, family=family)
    for kind in edits.kinds_of(model, "_regularizer"):
        without = partial(edits.without_argument, suffix="_regularizer", word=f"{kind} penalty", kind=kind)
        yield f"no-{kind.lower()}", f"{kind} penalty", without
    yield "no-constraints", "constraints", partial(edits.without_argument, suffix="_constraint", word="constraint")
    activation = edits.commonest_activation(model)
    if activation is not None:
        other = families.OTHER_ACTIVATION.get(activation, "relu")
        swapped = partial(edits.with_activation, old=activation, new=other)
        yield f"{other}-for-{activation}", f"{activation}, not {other}", swapped
    yield "one-block-fewer", "one block more", edits.without_a_block
    yield "half-width", "full width, not half", partial(edits.with_width, factor=0.5, word="half")
    yield "double-width", "full width, not double", partial(edits.with_width, factor=2.0, word="double")


def _optimizers(optimizer: OptimizerTable) -> Iterator[tuple[str, str, str, OptimizerTable]]:
    ((name, arguments),) = optimizer.items()
    if arguments.get("weight_decay") or name == "AdamW":
        plain = {key: value for key, value in arguments.items() if key != "weight_decay"}
        bare = "Adam" if name == "AdamW" else name
        yield "no-weight-decay", "weight decay", f"{bare} without weight decay", {bare: plain}
    other, settings = families.other_optimizer(name)
    text = ", ".join(f"{key} {value}" for key, value in settings.items()) or "its defaults"
    yield (
        f"{other.lower()}-for-{name.lower()}",
        f"{name}, not {other}",
        f"{other} ({text}) for {name}",
        {other: settings},
    )
