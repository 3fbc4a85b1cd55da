"""Churn survival: how long customers stay, who leaves, when, and what raises the risk."""

from cxlib.churn.curves.compare import compare_groups
from cxlib.churn.curves.curves import (
    Selection,
    fit_survival,
    read_survival,
    select_groups,
    summarise_medians,
)
from cxlib.churn.curves.rmst import compare_rmst, fit_rmst
from cxlib.churn.hazard.hazard import HazardModel, fit_hazard
from cxlib.churn.lifetimes import Lifetimes, add_attributes, check_lifetimes
from cxlib.churn.plots import plot_hazard, plot_rmst, plot_survival
from cxlib.churn.records.collect import collect_lifetimes, compare_naive
from cxlib.churn.records.inactivity import lifetimes_from_events
from cxlib.churn.records.late_entry import LateEntry, detect_late_entry
from cxlib.churn.records.spells import build_lifetimes, find_observed_from
from cxlib.churn.wording import (
    describe_groups,
    describe_hazard,
    describe_left_out,
    describe_naive,
    describe_staying,
    describe_time,
    find_clearest,
)

__all__ = [
    "HazardModel",
    "LateEntry",
    "Lifetimes",
    "Selection",
    "add_attributes",
    "build_lifetimes",
    "check_lifetimes",
    "collect_lifetimes",
    "compare_groups",
    "compare_naive",
    "compare_rmst",
    "describe_groups",
    "describe_hazard",
    "describe_left_out",
    "describe_naive",
    "describe_staying",
    "describe_time",
    "detect_late_entry",
    "find_clearest",
    "find_observed_from",
    "fit_hazard",
    "fit_rmst",
    "fit_survival",
    "lifetimes_from_events",
    "plot_hazard",
    "plot_rmst",
    "plot_survival",
    "read_survival",
    "select_groups",
    "summarise_medians",
]
