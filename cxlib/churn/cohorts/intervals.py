"""What the cohort tables share: the length of a month and the interval of a share retained."""

from __future__ import annotations

import numpy as np

from cxlib.stats import Floats, normal_quantile


def log_log_interval(
    share: Floats, variance: Floats, n: Floats, *, conf_level: float
) -> tuple[Floats, Floats]:
    """Compute intervals of shares retained on the log(-log) scale.

    Parameters
    ----------
    share : ndarray of float, shape (k,)
        Shares retained, 0 to 1.
    variance : ndarray of float, shape (k,)
        Variance of their logarithms (Greenwood's sum).
    n : ndarray of float, shape (k,)
        Customers at risk; where nobody has left yet, the interval begins at the exact
        (Clopper-Pearson) lower end for none of the fewest so far.
    conf_level : float
        Confidence level.

    Returns
    -------
    tuple of ndarray, each of shape (k,)
        Lower and upper ends. Where all have left the upper end of the share before is kept.
    """
    inside = (share > 0) & (share < 1)
    log = np.log(share, out=np.full_like(share, -1.0), where=inside)
    factor = np.exp(normal_quantile(conf_level) * np.sqrt(variance) / -log)
    low = np.where(inside, share**factor, share)
    high = np.where(inside, share ** (1 / factor), share)
    fewest = np.fmin.accumulate(n)
    low = np.where(share >= 1, (0.5 - conf_level / 2) ** (1 / fewest), low)
    gone = share <= 0
    if gone.any() and not gone.all():
        high = np.where(gone, high[np.flatnonzero(~gone)[-1]], high)
    return low, high
