"""Which support? Shrinkwraps are tried; the starts are to predict the data, and to agree.

trials      starts under one shrinkwrap, and how good they are
search      which to try next, and which to take
"""

from symbreak.supports.search import (
    FACTORS,
    THRESHOLDS,
    SupportChoice,
    best_of,
    choose,
    next_rule,
)
from symbreak.supports.trials import SupportTrial, TrialStarts, judge, phase_trial

__all__ = [
    "FACTORS",
    "THRESHOLDS",
    "SupportChoice",
    "SupportTrial",
    "TrialStarts",
    "best_of",
    "choose",
    "judge",
    "next_rule",
    "phase_trial",
]
