"""Attribution: how conversions are shared out among the touchpoints that came before them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from cxlib.errors import InputError, TooLittleData, closest
from cxlib.journeys.counts import Floats, Ints, find_previous, indicate
from cxlib.journeys.paths.lead_ups import LeadUps, find_lead_ups
from cxlib.journeys.walks import Walks, read_letters

RULES = ("first", "last", "linear", "position_based", "shapley")
METHODS = (*RULES, "markov")
KEEPS = ("all", "exposure", "first")
GROUPS = 1_000  # of customers, resampled as wholes
MOST = 150  # places; the chain is solved for each resample
_FEWEST = 10  # customers who convert; fewer tell nothing about the spread


@dataclass(frozen=True)
class Attribution:
    """How conversions are shared out; descriptions of paths, not effects of touchpoints.

    Parameters
    ----------
    attribution : pandas.DataFrame, one row per method and touchpoint
        `method` (``first``, ``last``, ``linear``, ``position_based``, ``shapley``, ``markov``),
        `name`, `credit` (conversions), `share` (of all credit), `conf_low`, `conf_high` (of the
        share) and `removal_effect` (of ``markov``, 0 to 1); per method the most credit first.
    journeys : pandas.DataFrame, one row
        `n_converted` and `n_null` (closed journeys counted, the goal reached or not), `n_open`
        (left out: neither converted nor ended yet), `n_at_once` (left out: they begin at the goal)
        and `n_customers`.
    """

    attribution: pd.DataFrame
    journeys: pd.DataFrame


def count_attribution(
    walks: Walks,
    *,
    keep: str = "all",
    n_resamples: int = 500,
    conf_level: float = 0.95,
    random_state: int = 0,
) -> Attribution:
    """Share conversions out among the touchpoints, or channels, that came before the goal.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`, with a goal; its view tells what gets the credit.
    keep : str, default "all"
        Steps that take part: ``all``; ``exposure``, the first of equal ones in a row; ``first``,
        the first at each place.
    n_resamples : int, default 500
        Resamples of customers for the intervals.
    conf_level : float, default 0.95
        Confidence level.
    random_state : int, default 0
        Seed of the resampling.

    Returns
    -------
    Attribution
        The credit by six methods, and the journeys that it rests on.

    Raises
    ------
    InputError
        When the walks have no goal, or `keep` is unknown.
    TooLittleData
        When fewer than ten customers convert after another step, or every journey may still go on.

    Notes
    -----
    A conversion is a closed journey that comes to the goal; what counts is the path before its
    first contact there. No method looks at the clock.

    ``first``, ``last``, ``linear``
        All credit to the first step, the last one, or equal parts to all steps.
    ``position_based``
        40 % to the first step, 40 % to the last, 20 % in equal parts to those between; with two
        steps half each.
    ``shapley``
        The Shapley value of the game in which v(S) is the number of conversions of journeys whose
        touchpoints all lie in S. That game is a sum of games, one a journey, in which only the full
        set wins, so the value is exact for any number of touchpoints: each conversion in equal
        parts to the different touchpoints of its path, whatever their order and number.
    ``markov``
        From a chain of order 1 over ``(start)``, touchpoints, conversion and null. The removal
        effect of a touchpoint is the share of conversions lost when whoever comes to it ends
        in null; credit is in proportion to it. Solved in closed form: with N the expected visits,
        N = (I - Q)^-1, and c the probabilities to convert, it is (N[start, k] / N[k, k]) c[k] /
        c[start]. Steps that stay at a touchpoint do not change it. Such a chain forgets how it came
        to a touchpoint, so some credit goes to touchpoints of journeys that hardly ever convert.

    Intervals are percentiles over resamples of customers (with more than 1,000, of 1,000 random
    groups of them).

    References
    ----------
    .. [1] E. Anderl, I. Becker, F. von Wangenheim, J. H. Schumann (2016). Mapping the customer
           journey: lessons learned from graph-based online attribution modeling. International
           Journal of Research in Marketing 33, 457-474.
    .. [2] K. Zhao, S. H. Mahboobi, S. R. Bagheri (2018). Shapley value methods for attribution
           modeling in online advertising. arXiv:1804.05327.
    """
    if keep not in KEEPS:
        where = f"parameter 'keep', known: {list(KEEPS)}"
        raise InputError(f"The steps to keep '{keep}' are unknown.", where, closest(keep, KEEPS))
    lead_ups = find_lead_ups(walks)
    _check_size(lead_ups)
    names = lead_ups.places.names
    credits, converted, null = _share_out(lead_ups, keep)
    rng = np.random.default_rng(random_state)
    groups = _group_customers(lead_ups.trials.shape[0], rng)
    hits, trials = groups @ lead_ups.hits, groups @ lead_ups.trials
    given = (hits @ credits).toarray()
    moves = (hits @ converted + (trials - hits) @ null).toarray()
    credit, effect = _solve(given.sum(axis=0)[None], moves.sum(axis=0)[None], len(names))
    n_groups = groups.shape[0]
    weights = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_resamples)
    resampled, _ = _solve(weights @ given, weights @ moves, len(names))
    ends = [0.5 - conf_level / 2, 0.5 + conf_level / 2]
    low, high = np.nanquantile(resampled, ends, axis=0)
    n_converted = int(lead_ups.hits.sum())
    table = pd.DataFrame(
        {
            "method": np.repeat(METHODS, len(names)),
            "name": np.tile(np.array(names, dtype=object), len(METHODS)),
            "credit": credit[0].ravel() * n_converted,
            "share": credit[0].ravel(),
            "conf_low": low.ravel(),
            "conf_high": high.ravel(),
        }
    )
    walked = np.isin(np.arange(len(names)), read_letters(lead_ups.letters)[0])
    table["removal_effect"] = np.nan
    table.loc[table["method"] == "markov", "removal_effect"] = effect[0]
    place = table["method"].map(METHODS.index)
    order = np.lexsort((table["name"], -table["credit"], place))
    order = order[walked[order % len(names)]]
    counts = {
        "n_converted": n_converted,
        "n_null": int(lead_ups.trials.sum()) - n_converted,
        "n_open": lead_ups.n_open,
        "n_at_once": lead_ups.n_at_once,
        "n_customers": len(np.unique(lead_ups.trials.nonzero()[0])),
    }
    return Attribution(table.iloc[order].reset_index(drop=True), pd.DataFrame([counts]))


def _check_size(lead_ups: LeadUps) -> None:
    converting = np.unique(lead_ups.hits.nonzero()[0])
    if len(converting) < _FEWEST:
        raise TooLittleData(
            f"Only {len(converting)} customers come to the goal after another step; attribution "
            f"needs {_FEWEST}."
        )
    n_places = len(lead_ups.places.names)
    if n_places > MOST:
        raise InputError(
            f"There are {n_places:,} places to share the credit among.",
            f"the view '{lead_ups.places.by}'; attribution takes at most {MOST}",
            "take a wider view, such as view = 'channel'",
        )


def _share_out(
    lead_ups: LeadUps, keep: str
) -> tuple[sparse.csr_array, sparse.csr_array, sparse.csr_array]:
    """Write what a journey of each path adds: credit by rule, moves if it converts, moves if not.

    Moves go from (start) or a place to a place, the conversion or null, in this order.
    """
    codes, path = read_letters(lead_ups.letters)
    previous = find_previous(path, codes)
    if keep != "all":
        kept = previous < 0 if keep == "first" else previous != np.arange(len(path)) - 1
        kept[0] = True  # -1 is also the place before the first step
        codes, path = codes[kept], path[kept]
        previous = find_previous(path, codes)
    lengths = np.bincount(path, minlength=len(lead_ups.letters))
    size = len(lead_ups.places.names)
    shape = (len(lengths), size + 2)
    length = lengths[path]
    first = np.flatnonzero(np.diff(path, prepend=-1))
    last = np.append(first[1:], len(path)) - 1
    is_first, is_last = (np.isin(np.arange(len(path)), ends) for ends in (first, last))
    fresh = previous < 0
    between = np.where(length > 2, 0.2 / np.maximum(length - 2, 1), 0.0)
    at_ends = np.select([length == 1, length == 2], [1.0, 0.5], 0.4)
    weights = {
        "first": is_first * 1.0,
        "last": is_last * 1.0,
        "linear": 1 / length,
        "position_based": np.where(is_first | is_last, at_ends, between),
        "shapley": fresh / np.bincount(path, weights=fresh)[path],
    }
    credits = sparse.hstack(
        [_spread(path, codes, weights[rule], (shape[0], size)) for rule in RULES]
    )
    states = size + 2
    within = np.flatnonzero(~is_first)
    came = np.concatenate([codes[first], (codes[within - 1] + 1) * states + codes[within]])
    moves = path[np.concatenate([first, within])], came
    ends = [(codes[last] + 1) * states + size + null for null in (0, 1)]
    walked = _spread(*moves, np.ones(len(came)), (shape[0], (size + 1) * states))
    final = [_spread(path[last], end, np.ones(len(end)), walked.shape) for end in ends]
    return credits.tocsr(), (walked + final[0]).tocsr(), (walked + final[1]).tocsr()


def _spread(row: Ints, column: Ints, weights: Floats, shape: tuple[int, int]) -> sparse.csr_array:
    return sparse.coo_array((weights, (row, column)), shape=shape).tocsr()


def _group_customers(n_customers: int, rng: np.random.Generator) -> sparse.csr_array:
    """Write the group of each customer as a one in its row."""
    if n_customers <= GROUPS:
        return indicate(np.arange(n_customers), n_customers)
    return indicate(rng.permutation(n_customers) % GROUPS, GROUPS).T.tocsr()


def _solve(credits: Floats, moves: Floats, size: int) -> tuple[Floats, Floats]:
    """Return shares by sample, method and place, and removal effects by sample and place."""
    rules = credits.reshape(len(credits), len(RULES), size)
    moves = moves.reshape(len(moves), size + 1, size + 2)
    total = moves.sum(axis=2, keepdims=True)
    chance = np.divide(moves, total, out=np.zeros_like(moves), where=total > 0)
    stay = np.zeros((len(moves), size + 1, size + 1))
    stay[:, :, 1:] = chance[:, :, :size]
    visits = np.linalg.inv(np.eye(size + 1) - stay)
    converts = (visits @ chance[:, :, [size]])[:, :, 0]
    reach = visits[:, 0, 1:] / np.diagonal(visits, axis1=1, axis2=2)[:, 1:]
    with np.errstate(invalid="ignore"):  # a resample without a conversion has no shares
        effect = reach * converts[:, 1:] / converts[:, [0]]
        shares = np.concatenate([rules, effect[:, None, :]], axis=1)
        return shares / shares.sum(axis=2, keepdims=True), effect
