"""Changes of a study by options and arguments: seeds, epochs, arms, data; and absolute paths."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from paribus.errors import UsageError, unknown_name
from paribus.study.document import MAX_SEED, StudyDocument
from paribus.study.fold_rules import find_fold_mistakes

MAX_RUNS = 100_000
"""The largest number of runs, and of pairs of arms, in one study."""


def with_absolute_paths(document: StudyDocument, folder: Path) -> StudyDocument:
    """Make relative paths of a study's data absolute; names of data stay (decision 0043).

    Args:
        document: the study.
        folder: where its relative paths start: the folder of the study file.
    """
    from paribus.data.sources import is_name  # brings NumPy, which `paribus --help` does without

    data, changes = document.data, {}
    if not is_name(data.source) and _is_path(data.source, folder):
        changes["source"] = absolute(data.source, folder)
    if data.test is not None:
        changes["test"] = absolute(data.test, folder)
    if data.partition is not None:
        changes["partition"] = absolute(data.partition, folder)
    return document.model_copy(update={"data": data.model_copy(update=changes)}) if changes else document


def _is_path(source: str, folder: Path) -> bool:
    """Whether this is a path; a single word that is no file or folder is rather a misspelt name."""
    try:
        return Path(source).name != source or "." in source or (folder / source).exists() or Path(source).exists()
    except (OSError, ValueError):
        return False  # no name that a file could have; reading the data raises the error


def absolute(path: str, folder: Path) -> str:
    """A path of a study file, starting at the file's folder; one that starts at a home stays as it is."""
    return path if path.startswith("~") else os.path.abspath(folder / path)  # noqa: PTH100 - links stay as they are named


def override(
    document: StudyDocument,
    *,
    seeds: int | None = None,
    epochs: int | None = None,
    data: str | None = None,
) -> StudyDocument:
    """Change a study by the options of the command line.

    Args:
        document: the study.
        seeds: the number of seeds; None for the study's own, as for the other options.
        epochs: the number of epochs.
        data: the source of the data: a name or a path.

    Returns:
        The changed study.

    Raises:
        UsageError: a value is out of range, or there are fewer learning rates than epochs.
    """
    if seeds is not None and not 1 <= seeds <= MAX_SEED:
        raise UsageError(f"--seeds {seeds}: the number of seeds is 1 or more (5 is a good start)")
    if epochs is not None and epochs < 1:
        raise UsageError(f"--epochs {epochs}: the number of epochs is 1 or more")
    changed = document if seeds is None else document.model_copy(update={"seeds": seeds})
    if epochs is not None:
        changed = changed.with_epochs(epochs)
    if data is None:
        return changed
    return with_absolute_paths(
        changed.model_copy(update={"data": document.data.model_copy(update={"source": data})}), Path()
    )


def check_arms(document: StudyDocument, arms: Sequence[str]) -> tuple[str, ...]:
    """The arms to run, in the study's order; all of them where none is named.

    Args:
        document: the study.
        arms: the names of some arms.

    Raises:
        UsageError: these are more than ``MAX_RUNS`` runs.
        UnknownNameError: the study has no such arm.
    """
    for arm in arms:
        if arm not in document.arms:
            raise unknown_name("arm", arm, document.arms, f"study '{document.name}'")
    selected = tuple(name for name in document.arms if not arms or name in arms)
    _check_size(document, len(selected))
    return selected


def _check_size(document: StudyDocument, arms: int) -> None:
    for _, message in find_fold_mistakes(document):
        raise UsageError(f"study '{document.name}': {message}")  # an option may have changed the seeds
    seeds = document.seeds * document.data.runs_per_seed
    unit = "seeds" if document.data.folds is None else "runs"
    if arms * seeds > MAX_RUNS:
        raise UsageError(
            f"study '{document.name}': {arms:,} arms with {seeds:,} {unit} each are {arms * seeds:,} runs; "
            f"at most {MAX_RUNS:,} are planned: take fewer seeds or arms"
        )
    trainings = len(document.tuned) * (document.tuning.budget or 0)
    if trainings > MAX_RUNS:
        raise UsageError(
            f"study '{document.name}': tuning {len(document.tuned):,} arms takes {trainings:,} trainings; at most "
            f"{MAX_RUNS:,} are planned: say a smaller `budget` in [tuning]"
        )
    all_arms = len(document.arms)
    pairs = all_arms * (all_arms - 1) // 2
    if document.comparison.all_pairs and pairs > MAX_RUNS:
        raise UsageError(
            f"study '{document.name}': `all_pairs` of {all_arms:,} arms are {pairs:,} contrasts; at most {MAX_RUNS:,} "
            "are judged: declare the contrasts that matter"
        )
