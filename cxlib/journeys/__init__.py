"""Journey study: what customers really do, which kinds of journey exist and where they break."""

from cxlib.journeys.flow.comparison import compare_positions, compare_transitions
from cxlib.journeys.flow.flows import count_flows
from cxlib.journeys.flow.matrix import count_positions
from cxlib.journeys.flow.plots import (
    plot_comparison,
    plot_flows,
    plot_step_matrix,
    plot_transitions,
)
from cxlib.journeys.flow.transitions import count_transitions, list_moves
from cxlib.journeys.flow.wording import (
    describe_comparison,
    describe_open,
    describe_transitions,
)
from cxlib.journeys.funnel.comparison import FunnelComparison, compare_funnels
from cxlib.journeys.funnel.drops import count_next
from cxlib.journeys.funnel.funnel import default_stages, measure_funnel
from cxlib.journeys.funnel.plots import plot_conversion, plot_funnel, plot_funnel_comparison
from cxlib.journeys.funnel.timing import ConversionTimes, time_to_convert
from cxlib.journeys.funnel.wording import (
    describe_breaks,
    describe_funnel_comparison,
    describe_next,
    describe_times,
)
from cxlib.journeys.kinds.assign import (
    Assignments,
    KeptSegments,
    assign_segments,
    keep_segments,
    read_segments,
    save_segments,
)
from cxlib.journeys.kinds.describe import find_representatives
from cxlib.journeys.kinds.differences import measure_differences
from cxlib.journeys.kinds.drift import measure_drift
from cxlib.journeys.kinds.features import count_features, fold_walks
from cxlib.journeys.kinds.plots import (
    plot_positions,
    plot_profiles,
    plot_segments,
    plot_sequences,
)
from cxlib.journeys.kinds.segments import JourneySegments, fit_segments
from cxlib.journeys.kinds.sequences import list_positions, list_sequences
from cxlib.journeys.kinds.wording import (
    describe_differences,
    describe_doubt,
    describe_drift,
    describe_representatives,
    describe_segments,
    describe_unseen,
)
from cxlib.journeys.log import JourneyLog, Places, find_contacts, find_places, list_steps
from cxlib.journeys.paths.attribution import Attribution, count_attribution
from cxlib.journeys.paths.drivers import count_drivers
from cxlib.journeys.paths.language import compile_pattern
from cxlib.journeys.paths.lead_ups import rank_paths
from cxlib.journeys.paths.paths import count_paths
from cxlib.journeys.paths.patterns import count_pattern, keep_journeys, match_walks
from cxlib.journeys.paths.plots import (
    plot_attribution,
    plot_lead_ups,
    plot_paths,
    plot_rework,
)
from cxlib.journeys.paths.rework import count_rework
from cxlib.journeys.paths.wording import (
    describe_attribution,
    describe_drivers,
    describe_lead_ups,
    describe_paths,
    describe_pattern,
    describe_rework,
)
from cxlib.journeys.reconcile import reconcile
from cxlib.journeys.service.answering import (
    Answering,
    measure_amplification,
    measure_answers,
)
from cxlib.journeys.service.contacts import Escalations, count_escalations, count_repeats
from cxlib.journeys.service.guesses import (
    find_assisted,
    find_complaints,
    find_self_service,
    find_service,
)
from cxlib.journeys.service.handoffs import Handoffs, count_handoffs
from cxlib.journeys.service.identities import (
    AnonymousContacts,
    join_identities,
    measure_anonymous,
)
from cxlib.journeys.service.map import map_journey
from cxlib.journeys.service.plots import plot_answers, plot_handoffs, plot_map, plot_repeats
from cxlib.journeys.service.relationship import (
    SalesExperience,
    measure_loop,
    measure_sales,
    split_relationship,
)
from cxlib.journeys.service.wording import (
    describe_amplification,
    describe_anonymous,
    describe_answers,
    describe_escalations,
    describe_handoffs,
    describe_loop,
    describe_map,
    describe_repeats,
    describe_sales,
)
from cxlib.journeys.steps import add_journeys, parse_inactivity
from cxlib.journeys.summary import (
    add_groups,
    count_groups,
    keep_since,
    summarise_journeys,
)
from cxlib.journeys.ties import bound_ties
from cxlib.journeys.walks import Walks, list_walks

__all__ = [
    "AnonymousContacts",
    "Answering",
    "Assignments",
    "Attribution",
    "ConversionTimes",
    "Escalations",
    "FunnelComparison",
    "Handoffs",
    "JourneyLog",
    "JourneySegments",
    "KeptSegments",
    "Places",
    "SalesExperience",
    "Walks",
    "add_groups",
    "add_journeys",
    "assign_segments",
    "bound_ties",
    "compare_funnels",
    "compare_positions",
    "compare_transitions",
    "compile_pattern",
    "count_attribution",
    "count_drivers",
    "count_escalations",
    "count_features",
    "count_flows",
    "count_groups",
    "count_handoffs",
    "count_next",
    "count_paths",
    "count_pattern",
    "count_positions",
    "count_repeats",
    "count_rework",
    "count_transitions",
    "default_stages",
    "describe_amplification",
    "describe_anonymous",
    "describe_answers",
    "describe_attribution",
    "describe_breaks",
    "describe_comparison",
    "describe_differences",
    "describe_doubt",
    "describe_drift",
    "describe_drivers",
    "describe_escalations",
    "describe_funnel_comparison",
    "describe_handoffs",
    "describe_lead_ups",
    "describe_loop",
    "describe_map",
    "describe_next",
    "describe_open",
    "describe_paths",
    "describe_pattern",
    "describe_repeats",
    "describe_representatives",
    "describe_rework",
    "describe_sales",
    "describe_segments",
    "describe_times",
    "describe_transitions",
    "describe_unseen",
    "find_assisted",
    "find_complaints",
    "find_contacts",
    "find_places",
    "find_representatives",
    "find_self_service",
    "find_service",
    "fit_segments",
    "fold_walks",
    "join_identities",
    "keep_journeys",
    "keep_segments",
    "keep_since",
    "list_moves",
    "list_positions",
    "list_sequences",
    "list_steps",
    "list_walks",
    "map_journey",
    "match_walks",
    "measure_amplification",
    "measure_anonymous",
    "measure_answers",
    "measure_differences",
    "measure_drift",
    "measure_funnel",
    "measure_loop",
    "measure_sales",
    "parse_inactivity",
    "plot_answers",
    "plot_attribution",
    "plot_comparison",
    "plot_conversion",
    "plot_flows",
    "plot_funnel",
    "plot_funnel_comparison",
    "plot_handoffs",
    "plot_lead_ups",
    "plot_map",
    "plot_paths",
    "plot_positions",
    "plot_profiles",
    "plot_repeats",
    "plot_rework",
    "plot_segments",
    "plot_sequences",
    "plot_step_matrix",
    "plot_transitions",
    "rank_paths",
    "read_segments",
    "reconcile",
    "save_segments",
    "split_relationship",
    "summarise_journeys",
    "time_to_convert",
]
