"""Tuning: which values an arm's grid offers, what each arm may spend on them, and which are chosen. Pure.

Candidates are trained as ordinary runs with a validation split (``paribus.tune``); the choice is given their endings
without any score on the test split.
"""

from paribus.tuning.budget import (
    SUFFIX,
    Candidate,
    Share,
    candidates,
    combinations,
    is_trial,
    share_of,
    spelled,
    trial_study,
    validation_split,
    with_values,
)
from paribus.tuning.choice import Choice, Ending, Tried, choose, tried
from paribus.tuning.mistakes import mistakes

__all__ = [
    "SUFFIX",
    "Candidate",
    "Choice",
    "Ending",
    "Share",
    "Tried",
    "candidates",
    "choose",
    "combinations",
    "is_trial",
    "mistakes",
    "share_of",
    "spelled",
    "trial_study",
    "tried",
    "validation_split",
    "with_values",
]
