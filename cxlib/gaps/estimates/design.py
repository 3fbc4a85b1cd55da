"""How respondents came into a survey, carried along to every estimate made of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.gaps.estimates.draws import draw_means
from cxlib.gaps.means import Codes, estimate_means, respondent_clusters
from cxlib.stats import Floats


@dataclass(frozen=True)
class Design:
    """Weights and clusters of the respondents, and how sure estimates shall be.

    Parameters
    ----------
    weights : ndarray, one per respondent
        Weights.
    clusters : list of ndarray of int
        From `respondent_clusters`.
    conf_level : float
        Confidence level.
    random_state : int
        Seed of all draws.
    """

    weights: Floats
    clusters: list[Codes]
    conf_level: float
    random_state: int = 0

    @classmethod
    def of(cls, respondents: pd.DataFrame, *, conf_level: float, random_state: int = 0) -> Design:
        """Read the design off the respondents.

        Parameters
        ----------
        respondents : pandas.DataFrame
            As in `Ratings`.
        conf_level : float
            Confidence level.
        random_state : int, default 0
            Seed of all draws.

        Returns
        -------
        Design
            Their weights and clusters.
        """
        weights = respondents["weight"].to_numpy(float)
        return cls(weights, respondent_clusters(respondents), conf_level, random_state)

    def counts(self, values: Floats) -> NDArray[np.bool_]:
        """Mark the values that count: known, and of a respondent with a weight.

        Parameters
        ----------
        values : ndarray, respondents x names
            NaN where not known.

        Returns
        -------
        ndarray of bool
            The same shape.
        """
        return ~np.isnan(values) & (self.weights > 0)[:, None]

    def estimate(self, values: Floats) -> pd.DataFrame:
        """Estimate the mean of each column, see `estimate_means`.

        Parameters
        ----------
        values : ndarray, respondents x names
            NaN where not known.

        Returns
        -------
        pandas.DataFrame
            One row per column.
        """
        return estimate_means(
            values, weights=self.weights, clusters=self.clusters, conf_level=self.conf_level
        )

    def average(self, values: Floats) -> Floats:
        """Average each column over its known values.

        Parameters
        ----------
        values : ndarray, respondents x names
            NaN where not known.

        Returns
        -------
        ndarray
            A weighted mean per column, NaN where nothing is known.
        """
        return weighted_means(values, self.weights)

    def draw(self, values: Floats) -> Floats:
        """Draw the means of all columns jointly, see `draw_means`.

        Parameters
        ----------
        values : ndarray, respondents x names
            NaN where not known.

        Returns
        -------
        ndarray, draws x names
            Means.
        """
        return draw_means(
            values, weights=self.weights, clusters=self.clusters, random_state=self.random_state
        )


def weighted_means(values: Floats, weights: Floats) -> Floats:
    """Average each column over its known values.

    Parameters
    ----------
    values : ndarray, respondents x names
        NaN where not known.
    weights : ndarray, one per respondent
        Weights.

    Returns
    -------
    ndarray
        A mean per column, NaN where nothing is known.
    """
    known = ~np.isnan(values)
    total = weights @ known
    mean = np.full(values.shape[1], np.nan)
    return np.divide(weights @ np.where(known, values, 0.0), total, out=mean, where=total > 0)
