"""Gap study: where perception falls short of expectation, and whether that matters."""

from __future__ import annotations

from cxlib.gaps.comments.effects import estimate_theme_effects
from cxlib.gaps.comments.mask import mask_personal
from cxlib.gaps.comments.plots import plot_sentiment, plot_theme_groups, plot_themes
from cxlib.gaps.comments.prevalence import compare_theme_groups, summarise_themes
from cxlib.gaps.comments.quotes import pick_quotes
from cxlib.gaps.comments.select import Comments, compare_silent, select_comments
from cxlib.gaps.comments.sentiment import (
    Sentiment,
    read_framing,
    score_sentiment,
    summarise_sentiment,
)
from cxlib.gaps.comments.themes import Themes, find_themes
from cxlib.gaps.comments.wording import (
    describe_comments,
    describe_sentiment,
    describe_theme_effects,
    describe_theme_groups,
    describe_themes,
)
from cxlib.gaps.consistency.kinds import compare_kinds
from cxlib.gaps.consistency.plots import plot_units, plot_variance
from cxlib.gaps.consistency.units import score_respondents, shrink_units
from cxlib.gaps.consistency.variance import split_variance
from cxlib.gaps.consistency.wording import describe_kinds, describe_units, describe_variance
from cxlib.gaps.delivery.beliefs import Beliefs, pair_beliefs, select_beliefs
from cxlib.gaps.delivery.calibration import count_ratings, summarise_calibration
from cxlib.gaps.delivery.compare import compare_belief_groups, compare_beliefs
from cxlib.gaps.delivery.plots import plot_belief_groups, plot_belief_ratings, plot_beliefs
from cxlib.gaps.delivery.wording import (
    describe_belief_groups,
    describe_belief_tests,
    describe_beliefs,
    describe_calibration,
    describe_measurement,
)
from cxlib.gaps.drivers.importance import Importance, fit_importance, summarise_dominance
from cxlib.gaps.drivers.plots import plot_importance, plot_priorities
from cxlib.gaps.drivers.priorities import compare_stated, rank_priorities
from cxlib.gaps.drivers.wording import (
    describe_importance,
    describe_ordinal,
    describe_priorities,
    describe_stated,
)
from cxlib.gaps.estimates.gaps import summarise_gaps
from cxlib.gaps.estimates.groups import compare_flagged, compare_gap_groups
from cxlib.gaps.estimates.plots import plot_gap_groups, plot_gaps, plot_tolerance
from cxlib.gaps.estimates.rankings import summarise_rankings
from cxlib.gaps.estimates.tolerance import summarise_tolerance
from cxlib.gaps.estimates.trust import summarise_trust
from cxlib.gaps.estimates.weighting import WeightedGaps, weigh_gaps
from cxlib.gaps.estimates.wording import (
    describe_clear_gaps,
    describe_flagged,
    describe_gap_groups,
    describe_gaps,
    describe_ranking,
    describe_trust,
    describe_views,
)
from cxlib.gaps.estimates.zones import describe_tolerance, describe_weighted_gaps
from cxlib.gaps.features.asymmetry import Asymmetry, fit_asymmetry
from cxlib.gaps.features.kano import KanoFeatures, classify_kano
from cxlib.gaps.features.plots import plot_asymmetry, plot_kano
from cxlib.gaps.features.wording import describe_asymmetry, describe_kano
from cxlib.gaps.groups import add_group
from cxlib.gaps.levels import check_respondents, known_levels, level_means, pair_ratings
from cxlib.gaps.means import estimate_means, respondent_clusters
from cxlib.gaps.outcomes import choose_outcome
from cxlib.gaps.prediction.conditions import Conditions, summarise_conditions
from cxlib.gaps.prediction.models import GapModels, fit_gap_models
from cxlib.gaps.prediction.plots import plot_gap_links, plot_gap_models, plot_response_surface
from cxlib.gaps.prediction.surface import ResponseSurface, fit_response_surface
from cxlib.gaps.prediction.wording import (
    describe_gap_models,
    describe_gap_verdicts,
    describe_surface,
    list_cautions,
)
from cxlib.gaps.published import check_published, describe_published
from cxlib.gaps.quality.careless import CarelessAnswers, flag_careless
from cxlib.gaps.quality.headlines import compare_headlines
from cxlib.gaps.quality.wording import describe_careless, describe_exclusions
from cxlib.gaps.ratings import Ratings, keep_respondents, select_answers
from cxlib.gaps.scales.cfa import fit_factors
from cxlib.gaps.scales.differences import common_share, gap_reliability
from cxlib.gaps.scales.invariance import fit_invariance, stack_groups
from cxlib.gaps.scales.reliability import cronbach_alpha, summarise_items, summarise_scales
from cxlib.gaps.scales.wording import (
    describe_common_share,
    describe_factors,
    describe_gap_reliability,
    describe_invariance,
    describe_scales,
)
from cxlib.gaps.scores.bounds import bound_scores
from cxlib.gaps.scores.change import ScoreChange, split_change
from cxlib.gaps.scores.change_wording import (
    describe_change,
    describe_changed_groups,
    describe_reversal,
)
from cxlib.gaps.scores.plots import plot_change, plot_scenarios, plot_scores
from cxlib.gaps.scores.raking import design_effect, rake
from cxlib.gaps.scores.response import summarise_response
from cxlib.gaps.scores.scores import nps_interval, read_scores, summarise_scores
from cxlib.gaps.scores.weighting import Weighting, weight_respondents, weight_to_margins
from cxlib.gaps.scores.wording import (
    describe_response,
    describe_scenarios,
    describe_scores,
    describe_weighting,
    list_score_figures,
)
from cxlib.gaps.trends.chart import TrendChart, chart_trend, place_incidents
from cxlib.gaps.trends.plots import plot_trend
from cxlib.gaps.trends.wording import describe_incidents, describe_limits, describe_trend

__all__ = [
    "Asymmetry",
    "Beliefs",
    "CarelessAnswers",
    "Comments",
    "Conditions",
    "GapModels",
    "Importance",
    "KanoFeatures",
    "Ratings",
    "ResponseSurface",
    "ScoreChange",
    "Sentiment",
    "Themes",
    "TrendChart",
    "WeightedGaps",
    "Weighting",
    "add_group",
    "bound_scores",
    "chart_trend",
    "check_published",
    "check_respondents",
    "choose_outcome",
    "classify_kano",
    "common_share",
    "compare_belief_groups",
    "compare_beliefs",
    "compare_flagged",
    "compare_gap_groups",
    "compare_headlines",
    "compare_kinds",
    "compare_silent",
    "compare_stated",
    "compare_theme_groups",
    "count_ratings",
    "cronbach_alpha",
    "describe_asymmetry",
    "describe_belief_groups",
    "describe_belief_tests",
    "describe_beliefs",
    "describe_calibration",
    "describe_careless",
    "describe_change",
    "describe_changed_groups",
    "describe_clear_gaps",
    "describe_comments",
    "describe_common_share",
    "describe_exclusions",
    "describe_factors",
    "describe_flagged",
    "describe_gap_groups",
    "describe_gap_models",
    "describe_gap_reliability",
    "describe_gap_verdicts",
    "describe_gaps",
    "describe_importance",
    "describe_incidents",
    "describe_invariance",
    "describe_kano",
    "describe_kinds",
    "describe_limits",
    "describe_measurement",
    "describe_ordinal",
    "describe_priorities",
    "describe_published",
    "describe_ranking",
    "describe_response",
    "describe_reversal",
    "describe_scales",
    "describe_scenarios",
    "describe_scores",
    "describe_sentiment",
    "describe_stated",
    "describe_surface",
    "describe_theme_effects",
    "describe_theme_groups",
    "describe_themes",
    "describe_tolerance",
    "describe_trend",
    "describe_trust",
    "describe_units",
    "describe_variance",
    "describe_views",
    "describe_weighted_gaps",
    "describe_weighting",
    "design_effect",
    "estimate_means",
    "estimate_theme_effects",
    "find_themes",
    "fit_asymmetry",
    "fit_factors",
    "fit_gap_models",
    "fit_importance",
    "fit_invariance",
    "fit_response_surface",
    "flag_careless",
    "gap_reliability",
    "keep_respondents",
    "known_levels",
    "level_means",
    "list_cautions",
    "list_score_figures",
    "mask_personal",
    "nps_interval",
    "pair_beliefs",
    "pair_ratings",
    "pick_quotes",
    "place_incidents",
    "plot_asymmetry",
    "plot_belief_groups",
    "plot_belief_ratings",
    "plot_beliefs",
    "plot_change",
    "plot_gap_groups",
    "plot_gap_links",
    "plot_gap_models",
    "plot_gaps",
    "plot_importance",
    "plot_kano",
    "plot_priorities",
    "plot_response_surface",
    "plot_scenarios",
    "plot_scores",
    "plot_sentiment",
    "plot_theme_groups",
    "plot_themes",
    "plot_tolerance",
    "plot_trend",
    "plot_units",
    "plot_variance",
    "rake",
    "rank_priorities",
    "read_framing",
    "read_scores",
    "respondent_clusters",
    "score_respondents",
    "score_sentiment",
    "select_answers",
    "select_beliefs",
    "select_comments",
    "shrink_units",
    "split_change",
    "split_variance",
    "stack_groups",
    "summarise_calibration",
    "summarise_conditions",
    "summarise_dominance",
    "summarise_gaps",
    "summarise_items",
    "summarise_rankings",
    "summarise_response",
    "summarise_scales",
    "summarise_scores",
    "summarise_sentiment",
    "summarise_themes",
    "summarise_tolerance",
    "summarise_trust",
    "weigh_gaps",
    "weight_respondents",
    "weight_to_margins",
]
