"""Journey study: what customers really do, which kinds of journey exist and where they break."""

from cxlib.journeys.comparison import add_groups, compare_transitions
from cxlib.journeys.funnel import default_stages, find_stages, measure_funnel
from cxlib.journeys.paths import count_paths, find_goal, list_journeys
from cxlib.journeys.plots import (
    plot_comparison,
    plot_funnel,
    plot_paths,
    plot_profiles,
    plot_segments,
    plot_transitions,
)
from cxlib.journeys.segments import JourneySegments, fit_segments
from cxlib.journeys.steps import add_journeys, count_groups, parse_inactivity, summarise_journeys
from cxlib.journeys.transitions import count_transitions, list_moves
from cxlib.journeys.wording import (
    describe_breaks,
    describe_comparison,
    describe_doubt,
    describe_open,
    describe_paths,
    describe_segments,
    describe_transitions,
)

__all__ = [
    "JourneySegments",
    "add_groups",
    "add_journeys",
    "compare_transitions",
    "count_groups",
    "count_paths",
    "count_transitions",
    "default_stages",
    "describe_breaks",
    "describe_comparison",
    "describe_doubt",
    "describe_open",
    "describe_paths",
    "describe_segments",
    "describe_transitions",
    "find_goal",
    "find_stages",
    "fit_segments",
    "list_journeys",
    "list_moves",
    "measure_funnel",
    "parse_inactivity",
    "plot_comparison",
    "plot_funnel",
    "plot_paths",
    "plot_profiles",
    "plot_segments",
    "plot_transitions",
    "summarise_journeys",
]
