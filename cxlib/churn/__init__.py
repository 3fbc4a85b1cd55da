"""Churn survival: how long customers stay, who leaves, when, and what raises the risk."""

from cxlib.churn.adjusted.adjusted import Adjusted, fit_adjusted
from cxlib.churn.adjusted.plots import plot_adjusted
from cxlib.churn.adjusted.wording import describe_adjusted, describe_overlap, describe_value
from cxlib.churn.causes.causes import Causes, name_causes
from cxlib.churn.causes.fine_gray import CauseHazards, fit_cause_hazards
from cxlib.churn.causes.gray import compare_incidence
from cxlib.churn.causes.incidence import fit_incidence, read_incidence
from cxlib.churn.causes.plots import plot_causes, plot_incidence
from cxlib.churn.causes.shares import compare_one_minus_survival, summarise_causes
from cxlib.churn.causes.wording import (
    describe_cause_hazards,
    describe_causes,
    describe_incidence_tests,
    describe_joined,
    describe_overstated,
)
from cxlib.churn.cohorts.plots import plot_renewals, plot_retention
from cxlib.churn.cohorts.renewals import (
    RenewalModel,
    count_renewals,
    expect_renewals,
    find_term,
    fit_renewals,
    project_renewals,
)
from cxlib.churn.cohorts.retention import Retention, check_completion, fit_retention
from cxlib.churn.cohorts.wording import (
    describe_completion,
    describe_renewals,
    describe_retention,
)
from cxlib.churn.curves.compare import compare_groups
from cxlib.churn.curves.counts import count_lifetimes
from cxlib.churn.curves.curves import (
    Selection,
    fit_survival,
    read_survival,
    select_groups,
    summarise_medians,
)
from cxlib.churn.curves.plots import plot_rates
from cxlib.churn.curves.rates import fit_cumulative_hazard, summarise_rates
from cxlib.churn.curves.rmst import compare_rmst, fit_rmst
from cxlib.churn.curves.wording import describe_rates
from cxlib.churn.drivers.plots import plot_experiences
from cxlib.churn.drivers.screening import Experiences, fit_experiences, list_experiences
from cxlib.churn.drivers.wording import describe_drivers, describe_experiences
from cxlib.churn.hazard.baseline import predict_hazard
from cxlib.churn.hazard.design import lay_out, number_strata
from cxlib.churn.hazard.hazard import HazardModel, fit_hazard
from cxlib.churn.hazard.periods import HazardPeriods, fit_periods
from cxlib.churn.hazard.plots import plot_periods
from cxlib.churn.hazard.wording import describe_periods
from cxlib.churn.lifetimes import (
    Lifetimes,
    add_attributes,
    check_lifetimes,
    suggest_covariates,
)
from cxlib.churn.plots import plot_hazard, plot_rmst, plot_survival
from cxlib.churn.records.changes import (
    list_contacts,
    list_scores,
    list_states,
    list_unanswered,
)
from cxlib.churn.records.collect import collect_lifetimes, compare_naive
from cxlib.churn.records.delay import ReportingLag
from cxlib.churn.records.experiences import select_landmark, split_lifetimes
from cxlib.churn.records.guarantee import GuaranteeTime, detect_guarantee
from cxlib.churn.records.inactivity import lifetimes_from_events
from cxlib.churn.records.late_entry import LateEntry, detect_late_entry
from cxlib.churn.records.origins import (
    Baseline,
    check_baseline,
    date_records,
    select_baseline,
)
from cxlib.churn.records.plots import plot_sensitivity, plot_steps
from cxlib.churn.records.sensitivity import measure_sensitivity
from cxlib.churn.records.silences import suggest_inactivity
from cxlib.churn.records.spells import build_lifetimes, find_observed
from cxlib.churn.records.wording import (
    describe_doubts,
    describe_inactivity,
    describe_observation,
    describe_sensitivity,
    describe_steps,
)
from cxlib.churn.risk.decision import find_threshold, find_useful_range, fit_decision_curve
from cxlib.churn.risk.explanation import explain_risk
from cxlib.churn.risk.plots import plot_calibration, plot_concentration, plot_decision
from cxlib.churn.risk.risk import RiskForecast, predict_risk
from cxlib.churn.risk.scores import score_predictions, summarise_calibration
from cxlib.churn.risk.validation import Validation, choose_cut, hide_after, validate_risk
from cxlib.churn.risk.value import summarise_concentration
from cxlib.churn.risk.wording import (
    describe_concentration,
    describe_decision,
    describe_not_predicted,
    describe_risk,
    describe_validation,
)
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
    "Adjusted",
    "Baseline",
    "CauseHazards",
    "Causes",
    "Experiences",
    "GuaranteeTime",
    "HazardModel",
    "HazardPeriods",
    "LateEntry",
    "Lifetimes",
    "RenewalModel",
    "ReportingLag",
    "Retention",
    "RiskForecast",
    "Selection",
    "Validation",
    "add_attributes",
    "build_lifetimes",
    "check_baseline",
    "check_completion",
    "check_lifetimes",
    "choose_cut",
    "collect_lifetimes",
    "compare_groups",
    "compare_incidence",
    "compare_naive",
    "compare_one_minus_survival",
    "compare_rmst",
    "count_lifetimes",
    "count_renewals",
    "date_records",
    "describe_adjusted",
    "describe_cause_hazards",
    "describe_causes",
    "describe_completion",
    "describe_concentration",
    "describe_decision",
    "describe_doubts",
    "describe_drivers",
    "describe_experiences",
    "describe_groups",
    "describe_hazard",
    "describe_inactivity",
    "describe_incidence_tests",
    "describe_joined",
    "describe_left_out",
    "describe_naive",
    "describe_not_predicted",
    "describe_observation",
    "describe_overlap",
    "describe_overstated",
    "describe_periods",
    "describe_rates",
    "describe_renewals",
    "describe_retention",
    "describe_risk",
    "describe_sensitivity",
    "describe_staying",
    "describe_steps",
    "describe_time",
    "describe_validation",
    "describe_value",
    "detect_guarantee",
    "detect_late_entry",
    "expect_renewals",
    "explain_risk",
    "find_clearest",
    "find_observed",
    "find_term",
    "find_threshold",
    "find_useful_range",
    "fit_adjusted",
    "fit_cause_hazards",
    "fit_cumulative_hazard",
    "fit_decision_curve",
    "fit_experiences",
    "fit_hazard",
    "fit_incidence",
    "fit_periods",
    "fit_renewals",
    "fit_retention",
    "fit_rmst",
    "fit_survival",
    "hide_after",
    "lay_out",
    "lifetimes_from_events",
    "list_contacts",
    "list_experiences",
    "list_scores",
    "list_states",
    "list_unanswered",
    "measure_sensitivity",
    "name_causes",
    "number_strata",
    "plot_adjusted",
    "plot_calibration",
    "plot_causes",
    "plot_concentration",
    "plot_decision",
    "plot_experiences",
    "plot_hazard",
    "plot_incidence",
    "plot_periods",
    "plot_rates",
    "plot_renewals",
    "plot_retention",
    "plot_rmst",
    "plot_sensitivity",
    "plot_steps",
    "plot_survival",
    "predict_hazard",
    "predict_risk",
    "project_renewals",
    "read_incidence",
    "read_survival",
    "score_predictions",
    "select_baseline",
    "select_groups",
    "select_landmark",
    "split_lifetimes",
    "suggest_covariates",
    "suggest_inactivity",
    "summarise_calibration",
    "summarise_causes",
    "summarise_concentration",
    "summarise_medians",
    "summarise_rates",
    "validate_risk",
]
