"""Gap study: where perception falls short of expectation."""

from __future__ import annotations

from cxlib.gaps.gaps import compare_gap_groups, summarise_gaps
from cxlib.gaps.groups import add_group
from cxlib.gaps.levels import check_respondents
from cxlib.gaps.outcomes import summarise_outcome_links
from cxlib.gaps.plots import plot_gap_groups, plot_gaps, plot_outcome_links, plot_scores
from cxlib.gaps.ratings import Ratings, select_answers
from cxlib.gaps.reliability import cronbach_alpha
from cxlib.gaps.scores import nps_interval, summarise_response, summarise_scores
from cxlib.gaps.wording import (
    describe_clear_gaps,
    describe_gap_groups,
    describe_gaps,
    describe_links,
    describe_response,
    describe_scores,
    describe_trust,
    list_score_figures,
)

__all__ = [
    "Ratings",
    "add_group",
    "check_respondents",
    "compare_gap_groups",
    "cronbach_alpha",
    "describe_clear_gaps",
    "describe_gap_groups",
    "describe_gaps",
    "describe_links",
    "describe_response",
    "describe_scores",
    "describe_trust",
    "list_score_figures",
    "nps_interval",
    "plot_gap_groups",
    "plot_gaps",
    "plot_outcome_links",
    "plot_scores",
    "select_answers",
    "summarise_gaps",
    "summarise_outcome_links",
    "summarise_response",
    "summarise_scores",
]
