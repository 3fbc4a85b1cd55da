"""Means of a model over customers, and what each customer adds to their error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cxlib.churn.hazard.cox import fit_cox
from cxlib.churn.hazard.risk_sets import Rows, lay_out_rows
from cxlib.stats import Floats

# Up to this many distinct scores each has a node of its own.
MOST_NODES = 2000
NODE_WIDTH = 0.02


@dataclass(frozen=True)
class Chain:
    """A stratified Cox model with the influence of every row on all of its parts.

    Parameters
    ----------
    rows : Rows
        Who was at risk on which day.
    apart : ndarray of float, shape (n, p)
        Covariates less their centre.
    risk : ndarray of float, shape (n,)
        Hazard ratios against the centre.
    influence : ndarray of float, shape (n, p)
        Influence of each row on the coefficients.
    by_day : ndarray of float, shape (3, n_days)
        Increments of the cumulative hazard by slot, and what a row at risk, and a row that
        leaves, takes from them per unit of risk.
    means : ndarray of float, shape (n_days, p)
        What an error in the coefficients takes from the increments.
    loadings : sparse array, shape (n, k)
        Weights with which values at the nodes make the value of each row.
    node_risk : ndarray of float, shape (k,)
        Hazard ratios of the nodes.
    """

    rows: Rows
    apart: Floats
    risk: Floats
    influence: Floats
    by_day: Floats
    means: Floats
    loadings: sparse.csr_array
    node_risk: Floats

    def average(
        self,
        stratum: int,
        days: Floats,
        widths: Floats,
        *,
        members: NDArray[np.bool_],
        values: Floats | None = None,
    ) -> tuple[float, Floats]:
        """Average what customers would keep with the baseline hazard of a stratum.

        Parameters
        ----------
        stratum : int
            Number of the stratum.
        days, widths : ndarray of float, shape (q,)
            Days and weights: a day with weight 1 gives the share still there after it, the days
            on which a curve steps with the days until the next step its area.
        members : ndarray of bool, shape (n,)
            Rows averaged over.
        values : ndarray of float, shape (n,), optional
            Factor of each row; 1 by default.

        Returns
        -------
        tuple of float and ndarray, shape (n,)
            The mean over the members of value times sum of width times S(day | covariates), and
            the influence of every row on it: its error is their sum.

        Notes
        -----
        With m_i the sum of member i, the rows add (v_i m_i - mean) / n for having been drawn, and
        through the derivatives of the mean their influence on the increments of the hazard and on
        the coefficients.
        """
        weight = members / members.sum() if values is None else members * values / members.sum()
        slots = np.flatnonzero(self.rows.days["stratum"].to_numpy() == stratum)
        so_far = np.append(0.0, np.cumsum(self.by_day[0, slots]))
        steps = np.searchsorted(self.rows.days["time_days"].to_numpy()[slots[:-1]], days, "right")
        hazard = so_far[steps]
        survival = np.exp(-np.outer(hazard, self.node_risk))
        at_nodes = self.loadings.T @ weight
        stay = self.loadings @ (widths @ survival)
        estimate = float(weight @ stay)
        influence = weight * stay - estimate * members / members.sum()

        lost = widths * (survival @ (at_nodes * self.node_risk))
        pull = np.zeros(self.rows.n_days)  # what a larger increment takes from all later days
        pull[slots] = -np.cumsum(np.bincount(steps, lost, len(slots) + 1)[::-1])[-2::-1]
        ends, when = self.rows.ends, self.rows.when
        ties = np.bincount(self.rows.at, minlength=self.rows.n_days)[when]
        influence -= self.risk * self.rows.spend(pull * self.by_day[1], pull * self.by_day[2])
        influence[ends] += (pull * self.by_day[0])[when] / ties

        slope = self.loadings @ (-(widths * hazard) @ (survival * self.node_risk))
        gradient = (weight * slope) @ self.apart - pull @ self.means
        return estimate, influence + self.influence @ gradient


def fit_chain(
    entry: Floats,
    duration: Floats,
    churned: NDArray[np.bool_],
    design: pd.DataFrame,
    *,
    strata: NDArray[np.intp],
) -> Chain:
    """Fit a stratified Cox model and find what every row adds to the error of its parts.

    Parameters
    ----------
    entry, duration : ndarray of float, shape (n,)
        A row is at risk on ``entry < t <= duration``.
    churned : ndarray of bool, shape (n,)
        Whether the row ended in churn.
    design : pandas.DataFrame, shape (n, p)
        One column of numbers a term.
    strata : ndarray of int, shape (n,)
        Numbers of the strata from 0 on.

    Returns
    -------
    Chain
        What averages over customers need.

    Raises
    ------
    TooLittleData
        When the model cannot be fitted, see `fit_cox`.

    Notes
    -----
    The influence is the derivative by a weight of the row (infinitesimal jackknife) of Efron's
    estimates, ties and late entry included. On day t the increment is the sum over the m ends of
    1 / s_r with s_r = S - r/m T, S and T the risk of those there and of those who leave. A row at
    risk takes its risk times the sum of 1 / s_r^2 (1 - r/m when it leaves itself) and a row that
    leaves adds its m-th.

    The mean over n customers of a smooth function of their score needs its values at some nodes
    only: the distinct scores, or where these are many, an even grid of 0.02 between which the
    function is read off cubic polynomials (relative error about 1e-8).

    References
    ----------
    .. [1] N. Reid, H. Crépeau (1985). Influence functions for proportional hazards regression.
           Biometrika 72, 1-9.
    """
    fit = fit_cox(entry, duration, churned, design, strata=strata)
    rows = lay_out_rows(entry, duration, churned, strata=strata, weights=None, is_efron=True)
    apart = design.to_numpy(float) - fit.center
    score = apart @ fit.estimates
    risk = np.exp(score)
    at_risk, tied = rows.total(risk, np.column_stack([np.ones(len(risk)), apart]))
    inverse = 1 / (at_risk[rows.at, 0] - rows.share * tied[rows.at, 0])
    parts = [inverse, inverse * rows.share, inverse**2]
    parts += [inverse**2 * rows.share, inverse**2 * rows.share**2]
    sums = [np.bincount(rows.at, part, rows.n_days).astype(float) for part in parts]
    i0, i1, s0, s1, s2 = sums
    at_risk, tied = at_risk[:, 1:], tied[:, 1:]

    ties = np.maximum(np.bincount(rows.at, minlength=rows.n_days), 1)[:, None]
    mean = (at_risk * i0[:, None] - tied * i1[:, None]) / ties
    taken, taken_tied = at_risk.T * s0 - tied.T * s1, at_risk.T * s1 - tied.T * s2
    scores = np.column_stack([rows.spend(*pair) for pair in zip(taken, taken_tied, strict=True)])
    scores = risk[:, None] * (scores - apart * rows.spend(i0, i1)[:, None])
    scores[rows.ends] += apart[rows.ends] - mean[rows.when]
    loadings, nodes = collapse(score)
    return Chain(
        rows=rows,
        apart=apart,
        risk=risk,
        influence=scores @ fit.covariance,
        by_day=np.array([i0, s0, s1]),
        means=taken.T,
        loadings=loadings,
        node_risk=np.exp(nodes),
    )


def collapse(score: Floats) -> tuple[sparse.csr_array, Floats]:
    """Replace many scores by few nodes.

    Parameters
    ----------
    score : ndarray of float, shape (n,)
        Any numbers.

    Returns
    -------
    tuple of sparse array, shape (n, k), and ndarray, shape (k,)
        Weights and nodes: weights times the values of a smooth function at the nodes are its
        values at the scores; exact where there are few distinct scores.
    """
    n = len(score)
    nodes, which = np.unique(score, return_inverse=True)
    if len(nodes) <= MOST_NODES:
        return sparse.csr_array((np.ones(n), which, np.arange(n + 1)), (n, len(nodes))), nodes
    count = int(np.clip((nodes[-1] - nodes[0]) / NODE_WIDTH, 8, MOST_NODES)) + 1
    nodes, width = np.linspace(nodes[0], nodes[-1], count, retstep=True)
    first = np.clip(((score - nodes[0]) / width).astype(int) - 1, 0, count - 4)
    place = (score - nodes[first]) / width  # in steps from the first of the four nodes around
    a, b, c, d = place, place - 1, place - 2, place - 3
    weights = np.column_stack([-b * c * d / 6, a * c * d / 2, -a * b * d / 2, a * b * c / 6])
    columns = first[:, None] + np.arange(4)
    shape = (n, count)
    return sparse.csr_array((weights.ravel(), columns.ravel(), 4 * np.arange(n + 1)), shape), nodes
