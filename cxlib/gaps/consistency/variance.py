"""Where ratings differ: between places, items, units, waves, respondents, or answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from cxlib.errors import InputError, TooLittleData, closest
from cxlib.gaps.consistency.crossed import Design, Fit, fit_reml, profile_share, sum_ratings
from cxlib.gaps.groups import as_texts
from cxlib.gaps.ratings import Ratings
from cxlib.stats import Floats

PLACES = ("touchpoint", "channel", "department")
_NOTHING = 1e-6  # a share smaller than this is the optimiser's way to say zero


def split_variance(
    ratings: Ratings,
    *,
    role: str = "perception",
    touchpoints: pd.DataFrame | None = None,
    by: str = "unit",
    most_units: int = 300,
    conf_level: float = 0.95,
    random_state: int = 0,
) -> pd.DataFrame:
    """Split the variance of ratings by where, with whom and when they came about.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`; with `every_wave` the waves are a part of their own.
    role : str, default "perception"
        The ratings to split; ``"belief"`` for employees.
    touchpoints : pandas.DataFrame, optional, one row per touchpoint
        Columns `touchpoint` and `channel`, `department`.
    by : str, default "unit"
        Column of the respondents that tells with whom: team, store, region. Not there, or empty
        throughout, it is left out.
    most_units : int, default 300
        With more units, this many are drawn at random and the rest left out.
    conf_level : float, default 0.95
        Confidence level.
    random_state : int, default 0
        Seed of that draw.

    Returns
    -------
    pandas.DataFrame
        One row per part. Columns `part` (touchpoint, channel, department, item, `by`, wave,
        respondent, residual), `n_levels`, `share` (of the total variance: the intraclass
        correlation), `conf_low`, `conf_high`, `std_dev` (points by which one of them typically
        lies off the average), `n` (respondents), `n_ratings`, `n_units_all` (units before the
        draw).

    Raises
    ------
    InputError
        When there is no such role, or items have different scales.
    TooLittleData
        When fewer than two respondents or ratings are there, or all ratings are equal.

    Notes
    -----
    Random intercepts, crossed, by REML: rating = mean + item + unit + wave + respondent +
    residual. Touchpoint, channel and department are three ways to sort the same items; each is
    added to that model alone, so their shares must not be added up, and `item` is what wording
    leaves within the model without places. A part with one level, or as many levels as there
    are items, cannot be told from another and is left out. An answer is about the touchpoint it
    names, else its item's.

    Shares have profile-likelihood intervals, which speak of places, units and waves like these:
    with two waves or five channels they are wide, because two waves say little on what a third
    would be like. A respondent of several waves counts as one in each. Weights are not used.

    References
    ----------
    .. [1] S. R. Searle, G. Casella, C. E. McCulloch (1992). Variance Components.
    .. [2] D. Bates, M. Maechler, B. Bolker, S. Walker (2015). Fitting linear mixed-effects models
           using lme4. Journal of Statistical Software 67(1).
    """
    values = check_role(ratings, role)
    units, n_all = _unit_codes(ratings.respondents, by, most_units, random_state)
    drawn = units > -2
    values, units = values[drawn], units[drawn]
    waves = pd.factorize(as_texts(ratings.respondents, "wave")[drawn])[0]
    waves = waves if waves.max() > 0 else np.full(len(waves), -1)
    rows, columns = np.nonzero(~np.isnan(values))
    known = values[rows, columns]
    if len(np.unique(rows)) < 2 or np.ptp(known) == 0:
        raise TooLittleData("Ratings of two respondents, not all equal, are needed to split them.")
    cells, facts = _cells(ratings, role, columns, np.flatnonzero(drawn)[rows])
    sums, _ = sum_ratings(rows, cells, known, units=units, waves=waves)
    n_cells = len(facts)
    sets = {"item": facts["item"], **_places(facts, touchpoints)}
    blocks = {name: _membership(labels, len(sums.target)) for name, labels in sets.items()}
    if waves.max() > 0:
        blocks["wave"] = np.eye(len(sums.target))[:, n_cells + 1 :]
    base = [] if sums.size.max() == 1 else ["respondent"]
    base += ["unit"] if units.max() > 0 else []
    base += [name for name in ("item", "wave") if name in blocks and blocks[name].shape[1] > 1]
    if not base and not any(name in blocks for name in PLACES):
        raise TooLittleData("There is one rating each, of one item: nothing to split them by.")
    levels = {name: block.shape[1] for name, block in blocks.items()}
    levels |= {"unit": int(units.max()) + 1, "respondent": int(sums.n.sum())}
    parts = []
    for place in ("", *(name for name in PLACES if name in blocks)):
        if place and not 1 < levels[place] <= levels["item"]:
            continue
        names = base + ([place] if place else [])
        if place and levels[place] == levels["item"]:
            names.remove("item")  # one item each: the place stands for both
        chosen = {name: blocks[name] for name in names if name in blocks}
        design = Design(sums, tuple(names), chosen)
        wanted = [place] if place else [*base, "residual"]
        with threadpool_limits(1):  # thousands of small systems: threads would only wait
            fit = fit_reml(design)
            parts += [_row(design, fit, name, conf_level) for name in wanted]
    table = pd.DataFrame(parts)
    table.insert(1, "n_levels", table["part"].map(levels).fillna(len(known)).astype(int))
    table["part"] = table["part"].replace("unit", by)
    order = [*PLACES, "item", by, "wave", "respondent", "residual"]
    table = table.sort_values("part", key=lambda part: part.map(order.index), ignore_index=True)
    return table.assign(n=levels["respondent"], n_ratings=len(known), n_units_all=n_all)


def check_role(ratings: Ratings, role: str) -> Floats:
    """Take the ratings of one role, if they are on one scale.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    role : str
        Which ratings.

    Returns
    -------
    ndarray, respondents x items
        The ratings, NaN where there are none.

    Raises
    ------
    InputError
        When there is no such role, or items have different scales.
    """
    if role not in ratings.values:
        problem, where = f"No answer has the role '{role}'.", "table 'answers', column 'role'"
        raise InputError(problem, where, closest(role, list(ratings.values)))
    scales = ratings.facts(role)[["scale_min", "scale_max"]].dropna().drop_duplicates()
    if len(scales) > 1:
        shown = [f"'{r.Index}' on {r.scale_min:g} to {r.scale_max:g}" for r in scales.itertuples()]
        raise InputError(
            "The items are rated on different scales; their variances cannot be compared.",
            f"table 'items', {', '.join(shown[:3])}",
            "convert the answers to one scale, or study the items of one scale at a time",
        )
    return ratings.values[role].to_numpy(dtype=float)


def _unit_codes(
    respondents: pd.DataFrame, by: str, most: int, random_state: int
) -> tuple[np.ndarray, int]:
    """Code the units; -1 where none is named, -2 where it was not drawn."""
    labels = as_texts(respondents, by)
    names = sorted(set(labels) - {""})
    kept = names
    if len(names) > most:
        kept = sorted(np.random.default_rng(random_state).choice(names, most, replace=False))
    codes = pd.Index(kept).get_indexer(labels)
    return np.where((codes < 0) & labels.ne("").to_numpy(), -2, codes), len(names)


def _cells(
    ratings: Ratings, role: str, columns: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, pd.DataFrame]:
    """Code what ratings are about: an item, or an item at the touchpoint the answer names."""
    facts = ratings.facts(role)[["touchpoint"]].rename_axis("item").reset_index()
    if ratings.touchpoints is None:
        return _dense(columns, facts)
    named = ratings.touchpoints.reindex(columns=facts["item"]).to_numpy(dtype=object)[rows, columns]
    codes, labels = pd.factorize(named)
    keys = columns * (len(labels) + 1) + codes + 1
    code, key = pd.factorize(keys, sort=True)
    item, label = np.divmod(key, len(labels) + 1)
    cells = facts.iloc[item].reset_index(drop=True)
    own = pd.Series([None, *labels], dtype=object).to_numpy()[label]
    return code, cells.assign(touchpoint=np.where(pd.isna(own), cells["touchpoint"], own))


def _dense(columns: np.ndarray, facts: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    code, used = pd.factorize(columns, sort=True)
    return code, facts.iloc[used].reset_index(drop=True)


def _places(facts: pd.DataFrame, touchpoints: pd.DataFrame | None) -> dict[str, pd.Series]:
    """Look up touchpoint, channel and department of every cell."""
    labels = {"touchpoint": facts["touchpoint"]}
    for name in PLACES[1:]:
        if touchpoints is not None and name in touchpoints.columns:
            once = touchpoints.drop_duplicates("touchpoint").set_index("touchpoint")[name]
            labels[name] = facts["touchpoint"].map(once)
    return {name: values for name, values in labels.items() if values.notna().any()}


def _membership(labels: pd.Series, size: int) -> Floats:
    """Mark which columns of the sums (a constant, cells, waves) belong to each label."""
    codes, names = pd.factorize(labels, sort=True)
    member = np.zeros((size, len(names)))
    known = np.flatnonzero(codes >= 0)
    member[1 + known, codes[known]] = 1.0
    return member


def _row(design: Design, fit: Fit, name: str, conf_level: float) -> dict[str, object]:
    share = fit.variances[name] / sum(fit.variances.values())
    low, high = profile_share(design, fit, name, conf_level=conf_level)
    share = share if share > _NOTHING else 0.0
    return {
        "part": name,
        "share": share,
        "conf_low": min(low, share),
        "conf_high": high,
        "std_dev": float(np.sqrt(fit.variances[name])) if share else 0.0,
    }
