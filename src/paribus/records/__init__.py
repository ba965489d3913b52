"""Frozen values that every package may use, imported from here. They import nothing else of paribus.

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
    Folds,
    FoldSummary,
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
from paribus.records.measures import MEASURES, Measure, is_loss
from paribus.records.runs import Curve, Environment, EpochReport, Predictions, RunResult, Scores, Status

__all__ = [
    "INITIAL_WEIGHTS",
    "MEASURES",
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
    "FoldSummary",
    "Folds",
    "Imputation",
    "InitialWeights",
    "Interrupted",
    "Job",
    "LayerSummary",
    "Measure",
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
    "is_loss",
    "label_study",
]
