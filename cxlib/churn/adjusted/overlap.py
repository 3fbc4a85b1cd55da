"""Do groups have customers alike? Where they do not, a comparison rests on the model alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

# A customer has counterparts in a group when customers like this one make up a tenth, at least,
# of the share of the group that they make up of all.
LEAST_RATIO = 0.1


def measure_overlap(terms: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """Measure for every two groups which share of the one has counterparts in the other.

    Parameters
    ----------
    terms : pandas.DataFrame, shape (n, p)
        Covariates as columns of a model, complete.
    groups : pandas.Series
        Group of each row, categories.

    Returns
    -------
    pandas.DataFrame
        One row per ordered pair: `group`, `counterpart`, `n` (of `group`), `share_alike` (of them
        with counterparts), `lacking` (levels that occur in `group` and nowhere in `counterpart`).

    Notes
    -----
    The chance of being in each group given the covariates comes from a multinomial logistic
    regression, slightly penalised; over the share of the group in all it is the ratio of the
    densities of covariates in the group and in all. A customer has counterparts in a group when
    that ratio is a tenth or more.

    References
    ----------
    .. [1] R. K. Crump, V. J. Hotz, G. W. Imbens, O. A. Mitnik (2009). Dealing with limited overlap
           in estimation of average treatment effects. Biometrika 96, 187-199.
    """
    from sklearn.linear_model import LogisticRegression

    names = list(groups.cat.categories)
    codes = groups.cat.codes.to_numpy()
    values = terms.to_numpy(float)
    spread = values.std(axis=0)
    values = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(max_iter=1000).fit(values, codes)
    is_alike = model.predict_proba(values) >= LEAST_RATIO * np.bincount(codes) / len(codes)
    levels = terms.loc[:, [name for name in terms if name.endswith("]")]]
    occurs = (levels > 0).groupby(groups, observed=True).any()
    rows = []
    for i, name in enumerate(names):
        for j, other in enumerate(names):
            if i != j:
                own = codes == i
                lacking = occurs.columns[occurs.loc[name] & ~occurs.loc[other]]
                share = float(is_alike[own, j].mean())
                rows.append((name, other, int(own.sum()), share, ", ".join(lacking)))
    return pd.DataFrame(rows, columns=["group", "counterpart", "n", "share_alike", "lacking"])
