"""Frozen values that every room may know, imported from here. They import nothing of ours.

Arrays inside records are never written to after construction.
"""

from paribus.records.canonical import canonical_json
from paribus.records.events import Described, Ended, EpochDone, Event, Interrupted, Refused, Started
from paribus.records.jobs import (
    INITIAL_WEIGHTS,
    DataSpec,
    DataSummary,
    DescribeJob,
    EarlyStopping,
    Imputation,
    InitialWeights,
    Job,
    LayerSummary,
    Recipe,
    ReduceLROnPlateau,
    Seeds,
    StudyKind,
    Training,
    TrainJob,
    label_study,
)
from paribus.records.runs import Curve, Environment, EpochReport, Predictions, RunResult, Scores, Status

__all__ = [
    "INITIAL_WEIGHTS",
    "Curve",
    "DataSpec",
    "DataSummary",
    "DescribeJob",
    "Described",
    "EarlyStopping",
    "Ended",
    "Environment",
    "EpochDone",
    "EpochReport",
    "Event",
    "Imputation",
    "InitialWeights",
    "Interrupted",
    "Job",
    "LayerSummary",
    "Predictions",
    "Recipe",
    "ReduceLROnPlateau",
    "Refused",
    "RunResult",
    "Scores",
    "Seeds",
    "Started",
    "Status",
    "StudyKind",
    "TrainJob",
    "Training",
    "canonical_json",
    "label_study",
]
