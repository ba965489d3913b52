"""``--to keras``: every finished run's network as a ``.keras`` file that plain Keras loads, with a manifest beside."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paribus.data import class_names
from paribus.errors import UsageError
from paribus.export.files import open_folder, whole, write
from paribus.export.preparation import Preparation, preparation
from paribus.keras_config.custom_objects import module_of, registered_names
from paribus.report.json import run_fields
from paribus.results.selection import RunSelection, SelectedRun
from paribus.version import __version__

if TYPE_CHECKING:
    import keras

MANIFEST = "manifest.json"
README = "README.md"


def export_networks(chosen: RunSelection, folder: Path, *, replace: bool = False) -> tuple[Path, ...]:
    """Write the networks into a folder, then ``README.md`` and ``manifest.json``, which says what they are.

    Keras is imported here; ``engine.environment.prepare`` must have been called.

    Returns:
        The files, the manifest last.

    Raises:
        UsageError: none of the runs finished, or a file is there already.
        ModelError: a network cannot be built in this process.
        StoreError, DataError: weights are damaged, the data can no longer be read.
        ParibusError: a file cannot be written.
    """
    from paribus.engine.inference import keras_model, put_weights, reads

    results, training = chosen.results, chosen.results.document.protocol.training()
    if not chosen.networks:
        raise UsageError(
            f"none of these {len(chosen.runs)} runs of study '{results.document.name}' finished as a network; "
            "scikit-learn estimators are no Keras models: fit them again there, with the arguments that the report has"
        )
    open_folder(folder, [*(_file(each) for each in chosen.networks), README, MANIFEST], replace=replace)
    prepared = preparation(results)
    entries: list[dict[str, Any]] = []
    for arm in dict.fromkeys(each.arm.name for each in chosen.networks):
        runs = [each for each in chosen.networks if each.arm.name == arm]
        model = keras_model(runs[0].arm.recipe, training, arm)
        shape = reads(model, prepared.example_shape)
        for each in runs:
            put_weights(model, results.store.weights(each.run.fingerprint))
            entries.append(_entry(each, shape, _save(model, folder / _file(each))))
    manifest = _manifest(chosen, prepared, entries)
    write(folder / README, _readme(manifest).encode())
    write(folder / MANIFEST, (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
    return tuple(folder / name for name in (*(entry["file"] for entry in entries), README, MANIFEST))


def _file(each: SelectedRun) -> str:
    return f"{each.name}.keras"


def _save(model: keras.Model, path: Path) -> str:
    """Save a model, whole or not at all; the sha256 of its file."""
    with whole(path) as draft:
        model.save(draft)
        return hashlib.sha256(draft.read_bytes()).hexdigest()


def _entry(each: SelectedRun, input_shape: tuple[int, ...], sha256: str) -> dict[str, Any]:
    """What the manifest says of one network: its file, its run with the table's numbers, what it reads."""
    own = registered_names(json.loads(each.arm.recipe.model))
    return {
        "file": _file(each),
        "sha256": sha256,
        "arm": each.arm.name,
        "parameters": each.arm.recipe.parameters,
        "input_shape": list(input_shape),
        "own_classes": {name: module_of(name) for name in own},
        **run_fields(each.run),
    }


def _manifest(chosen: RunSelection, prepared: Preparation, entries: list[dict[str, Any]]) -> dict[str, Any]:
    from paribus.engine.losses import target_form, threshold

    document, data = chosen.results.document, chosen.results.data
    protocol = document.protocol
    left_out = [
        {"arm": each.arm.name, **run_fields(each.run), "why": f"{each.run.status}: {each.run.reason}"}
        for each in chosen.unfinished
    ]
    left_out += [
        {"arm": each.arm.name, **run_fields(each.run), "why": f"scikit-learn's {each.arm.recipe.kind}, no Keras model"}
        for each in chosen.finished
        if each.arm.recipe.is_estimator
    ]
    missing = [{"arm": arm, "seed": seed, "why": "it is not stored"} for arm, seed in chosen.missing]
    return {
        "study": document.name,
        "question": document.question,
        "paribus": __version__,
        "keras": importlib.metadata.version("keras"),
        "data": {
            "name": data.name,
            "source": document.data.source,
            "fingerprint": data.fingerprint,
            "test": data.test,
            "class_names": list(class_names(document.data.spec())),
        },
        "preparation": prepared.values(),
        "loss": protocol.loss,
        "labels": target_form(protocol.training().loss),
        "threshold": threshold(protocol.training().loss),
        "networks": entries,
        "left_out": [*left_out, *missing],
        "code": _code(prepared),
    }


def _code(prepared: Preparation) -> str:
    return f"""\
import json
from pathlib import Path

import keras
import numpy as np

manifest = json.loads(Path("{MANIFEST}").read_text(encoding="utf-8"))


{prepared.code()}


def classes(x, network):
    model = keras.saving.load_model(network["file"])
    outputs = model.predict(prepare(x, network), verbose=0)
    if outputs.shape[-1] > 1:
        return outputs.argmax(-1)
    return (outputs[:, 0] > manifest["threshold"]).astype(int)
"""


def _readme(manifest: dict[str, Any]) -> str:
    rows = "\n".join(
        f"| `{e['file']}` | {e['arm']} | {e['seed']} | {100 * e['test_accuracy']:.2f} % | {e['parameters']:,} |"
        for e in manifest["networks"]
    )
    own = sorted({module for e in manifest["networks"] for module in e["own_classes"].values()})
    imports = (
        f"Import {', '.join(f'`{module}`' for module in own)} first: they define classes of yours.\n" if own else ""
    )
    left = "".join(f"- {e['arm']}, seed {e['seed']}: {e['why']}\n" for e in manifest["left_out"])
    return f"""\
# Networks of the study {manifest["study"]}

Trained on {manifest["data"]["name"]}; test accuracies are of its {manifest["data"]["test"]:,} test examples.
Each file is a plain Keras model with optimizer and loss compiled in; the optimizer starts afresh. It loads with
`keras.saving.load_model` on any Keras backend.
{imports}
| file | arm | seed | test accuracy | parameters |
| --- | --- | --- | --- | --- |
{rows}

## What they read

{manifest["preparation"]["words"]} Labels for training on are {_LABELS[manifest["labels"]]}.

```python
{manifest["code"].rstrip()}
```

`classes(x_test, manifest["networks"][0])` are the answers of the first network. Everything else that is known of the
runs stands in `{MANIFEST}`.
{f"{chr(10)}## What is not here{chr(10)}{chr(10)}{left}" if left else ""}"""


_LABELS = {
    "integer": "class indices",
    "one-hot": "one-hot rows",
    "binary": "zeros and ones, one-hot where there are several outputs",
}
