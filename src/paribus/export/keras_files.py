"""``--to keras``: the network of every finished run as a ``.keras`` file that plain Keras loads, and a manifest."""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from paribus.data.folds import Pooled
from paribus.data.sources import class_names, load_pooled
from paribus.errors import DataError, UsageError
from paribus.export.files import open_folder, write, write_whole
from paribus.export.preparation import FOLD_CODE, Preparation, read_fold_preparations, read_preparation
from paribus.keras_config.custom_objects import module_of, registered_names
from paribus.records import Folds
from paribus.report.json import run_fields
from paribus.results.selection import RunSelection, SelectedRun
from paribus.version import __version__

if TYPE_CHECKING:
    import keras

MANIFEST = "manifest.json"
README = "README.md"
FOLDS = "folds.npy"
"""With folds: the fold of each example in each repetition."""

PREPARE = "prepare.py"
"""What makes inputs from a table, where the study's data is one."""


def export_networks(selection: RunSelection, folder: Path, *, replace: bool = False) -> tuple[Path, ...]:
    """Write the networks into a folder, then ``README.md`` and ``manifest.json``, which describe them.

    Keras is imported here; ``engine.environment.prepare`` must have been called.

    Args:
        selection: the runs; those that did not finish or are no networks are listed as left out.
        folder: the folder; it is made if it is missing.
        replace: whether existing files may be replaced.

    Returns:
        The files, the manifest last.

    Raises:
        UsageError: none of the runs finished, or a file is there already.
        ModelError: a network cannot be built in this process.
        StoreError, DataError: weights are damaged, the data can no longer be read.
        ParibusError: a file cannot be written.
    """
    from paribus.engine.inference import keras_model, reads, set_weights

    results, training = selection.results, selection.results.document.protocol.training()
    if not selection.networks:
        raise UsageError(
            f"none of these {len(selection.runs)} runs of study '{results.document.name}' finished as a network; "
            "scikit-learn estimators are not Keras models: fit them again with the arguments that the report has"
        )
    prepared, pooled = _prepare(selection)
    any_of_them = next(iter(prepared.values()))
    beside = (
        *([] if pooled is None else [FOLDS]),
        *([] if any_of_them.columns is None else [PREPARE]),
        README,
        MANIFEST,
    )
    open_folder(folder, [*(_file(selected) for selected in selection.networks), *beside], replace=replace)
    entries: list[dict[str, Any]] = []
    for arm in dict.fromkeys(selected.arm.name for selected in selection.networks):
        runs = [selected for selected in selection.networks if selected.arm.name == arm]
        model = keras_model(runs[0].arm.recipe, training, arm)
        shape = reads(model, any_of_them.example_shape)
        for selected in runs:
            set_weights(model, results.store.weights(selected.run.fingerprint))
            entries.append(_entry(selected, shape, _save(model, folder / _file(selected)), prepared))
    manifest = _manifest(selection, prepared, entries)
    if pooled is not None:
        content = io.BytesIO()
        np.save(content, pooled.codes.astype(np.int32))
        write(folder / FOLDS, content.getvalue())
    if any_of_them.columns is not None:
        write(folder / PREPARE, Path(__file__).with_name("prepare_table.py").read_bytes())
    write(folder / README, _readme(manifest).encode())
    write(folder / MANIFEST, (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
    return tuple(folder / name for name in (*(entry["file"] for entry in entries), *beside))


def _prepare(selection: RunSelection) -> tuple[dict[Folds | None, Preparation], Pooled | None]:
    """How examples are prepared for the networks of each fold, by fold; by None with a fixed test split.

    Raises:
        DataError: the data can no longer be read, or has changed since the networks of folds were trained.
    """
    results, spec = selection.results, selection.results.document.data.spec()
    if spec.folds is None:
        return {None: read_preparation(results)}, None
    pooled = load_pooled(spec)
    if pooled.summary().fingerprint != results.data.fingerprint:
        raise DataError(
            f"{spec.source}: the data is not what the networks were trained on, so that how it was prepared is not "
            "known: put the file back as it was"
        )
    places = [selected.folds for selected in selection.networks if selected.folds is not None]
    by_fold = read_fold_preparations(results, pooled, places)
    return {place: by_fold[place] for place in places}, pooled


def _file(selected: SelectedRun) -> str:
    return f"{selected.name}.keras"


def _save(model: keras.Model, path: Path) -> str:
    """Save a model, whole or not at all; the sha256 of its file."""
    with write_whole(path) as draft:
        model.save(draft)
        return hashlib.sha256(draft.read_bytes()).hexdigest()


def _entry(
    selected: SelectedRun, input_shape: tuple[int, ...], sha256: str, prepared: Mapping[Folds | None, Preparation]
) -> dict[str, Any]:
    """The manifest's entry for one network: its file, its run with the table's numbers, its input shape."""
    own = registered_names(json.loads(selected.arm.recipe.model))
    return {
        "file": _file(selected),
        "sha256": sha256,
        "arm": selected.arm.name,
        "parameters": selected.arm.recipe.parameters,
        "input_shape": list(input_shape),
        "own_classes": {name: module_of(name) for name in own},
        **run_fields(selected.run, selected.folds),
        **({} if selected.folds is None else {"preparation": prepared[selected.folds].values()}),
    }


def _manifest(
    selection: RunSelection, prepared: Mapping[Folds | None, Preparation], entries: list[dict[str, Any]]
) -> dict[str, Any]:
    from paribus.engine.losses import target_form, threshold

    document, data = selection.results.document, selection.results.data
    protocol = document.protocol
    left_out = [
        {
            "arm": selected.arm.name,
            **run_fields(selected.run, selected.folds),
            "why": f"{selected.run.status}: {selected.run.reason}",
        }
        for selected in selection.unfinished
    ]
    left_out += [
        {
            "arm": selected.arm.name,
            **run_fields(selected.run, selected.folds),
            "why": f"scikit-learn's {selected.arm.recipe.kind}, no Keras model",
        }
        for selected in selection.finished
        if selected.arm.recipe.is_estimator
    ]
    missing = [{"arm": arm, "seed": seed, "why": "it is not stored"} for arm, seed in selection.missing]
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
            **(
                {}
                if (divided := document.data.divided) is None
                else {"folds": divided.count, "repeats": divided.repeats, "examples": data.train + data.test}
            ),
            "class_names": list(class_names(document.data.spec())),
        },
        "preparation": prepared[None].values() if None in prepared else None,
        "loss": protocol.loss,
        "labels": target_form(protocol.training().loss),
        "threshold": threshold(protocol.training().loss),
        "networks": entries,
        "left_out": [*left_out, *missing],
        "code": _code(prepared[None].code() if None in prepared else FOLD_CODE),
    }


def _code(prepare: str) -> str:
    return f"""\
import json
from pathlib import Path

import keras
import numpy as np

manifest = json.loads(Path("{MANIFEST}").read_text(encoding="utf-8"))


{prepare}


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
    how = manifest["preparation"] or manifest["networks"][0]["preparation"]
    tested = f"test accuracies are of its {manifest['data']['test']:,} test examples."
    if manifest["preparation"] is None:
        tested = _fold_words(manifest["data"])
    left = "".join(f"- {e['arm']}, seed {e['seed']}: {e['why']}\n" for e in manifest["left_out"])
    return f"""\
# Networks of the study {manifest["study"]}

Trained on {manifest["data"]["name"]}; {tested}
Each file is a plain Keras model with optimizer and loss compiled in, without the optimizer's state. It loads with
`keras.saving.load_model` on any Keras backend.
{imports}
| file | arm | seed | test accuracy | parameters |
| --- | --- | --- | --- | --- |
{rows}

## How to prepare examples

{_from_table(how["columns"], of_fold=manifest["preparation"] is None)}{how["words"]} Labels for training on are \
{_LABELS[manifest["labels"]]}.

```python
{manifest["code"].rstrip()}
```

`classes(x_test, manifest["networks"][0])` are the classes that the first network predicts. `{MANIFEST}` has all other
measures of the runs.
{f"{chr(10)}## Runs that are left out{chr(10)}{chr(10)}{left}" if left else ""}"""


def _fold_words(data: dict[str, Any]) -> str:
    return (
        f"its {data['examples']:,} examples were divided into {data['folds']} folds, {data['repeats']} times. Each "
        "network was tested on one of them, which its file names, and trained on the others. Row `repeat` of "
        f"`{FOLDS}` has the fold of each example, those of the source's test split last. What is fitted to data was "
        f"fitted to the network's own training part: `preparation` of its entry in `{MANIFEST}` has it. For new "
        "examples average the probabilities of all folds."
    )


def _from_table(columns: list[dict[str, Any]] | None, *, of_fold: bool) -> str:
    """What is read from which columns, for a table."""
    if columns is None:
        return ""
    arguments = "frame, network" if of_fold else "frame"
    rows = "\n".join(f"| `{column['name']}` | {_column_words(column, of_fold=of_fold)} |" for column in columns)
    return f"""\
Rows of a table with these columns; `prepare({arguments})` of `{PREPARE}`, which needs NumPy and pandas only, makes
inputs of them, and `classes(frame, network)` the answers.

| column | what becomes of it |
| --- | --- |
{rows}

Without it: """


def _column_words(column: dict[str, Any], *, of_fold: bool) -> str:
    words = column["words"]
    what = "the number" if words is None else f"a 0/1 feature for each of {', '.join(words[:LISTED])}"
    what += " ..." if words is not None and len(words) > LISTED else ""
    fill = column["fill"]
    if fill is not None and of_fold:
        return what + "; a missing value is filled in as in the network's own training part"
    what += "" if fill is None else f"; a missing value is taken for {fill if isinstance(fill, str) else f'{fill:g}'}"
    return what + ("; whether it is missing comes after all other features" if column["indicator"] else "")


LISTED = 12
"""Words of a category that the README lists; the manifest has all."""

_LABELS = {
    "integer": "class indices",
    "one-hot": "one-hot rows",
    "binary": "zeros and ones, one-hot where there are several outputs",
}
