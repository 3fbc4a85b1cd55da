"""From columns of a table to the numbers of a model, and the same columns for other customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.churn.lifetimes import label_levels
from cxlib.errors import InputError, TooLittleData, closest

# A column of text with more distinct numbers than this is a measurement, not a list of codes.
MOST_LEVELS = 10


@dataclass(frozen=True)
class Design:
    """The columns of a model and what they stand for.

    Parameters
    ----------
    covariates : dict of str to tuple of str
        Covariates by name: the levels of a text, the reference first; empty for a number.
    terms : list of str
        Columns of the model: numbers by their name, other levels as ``name[level]``.
    strata : tuple of str
        Columns whose combinations have baseline hazards of their own.
    strata_levels : list of tuple of str
        The combinations, in the order of their numbers.
    """

    covariates: dict[str, tuple[str, ...]]
    terms: list[str]
    strata: tuple[str, ...] = ()
    strata_levels: list[tuple[str, ...]] | None = None


def lay_out(design: Design, table: pd.DataFrame) -> pd.DataFrame:
    """Lay customers out in the columns of a model.

    Parameters
    ----------
    design : Design
        The `design` of a `HazardModel`.
    table : pandas.DataFrame
        The covariates by name, one customer a row.

    Returns
    -------
    pandas.DataFrame, shape (n, p)
        The terms, under the index of `table`; a row is missing where a covariate has no value, or
        one the model does not know.

    Raises
    ------
    InputError
        When a covariate is missing from the table.
    """
    terms: dict[str, pd.Series] = {}
    unknown = pd.Series(False, index=table.index)
    for name, levels in design.covariates.items():
        _check_column(table, name, "covariates")
        if not levels:
            terms[name] = _read_numbers(_blank_to_missing(table[name]))
            unknown |= terms[name].isna()
            continue
        labels = label_levels(_blank_to_missing(table[name]))
        labels = labels.astype(object)
        unknown |= ~labels.isin(levels)
        for level in levels[1:]:
            terms[f"{name}[{level}]"] = (labels == level).astype(float)
    laid = pd.DataFrame(terms, index=table.index)[design.terms].astype(float)
    return laid.mask(unknown)


def number_strata(design: Design, table: pd.DataFrame) -> NDArray[np.intp]:
    """Give customers the number that their stratum has in the model.

    Parameters
    ----------
    design : Design
        The `design` of a `HazardModel`.
    table : pandas.DataFrame
        The columns of the strata, one customer a row.

    Returns
    -------
    ndarray of int, shape (n,)
        All 0 when the model has no strata; -1 where a value is missing or not known to the model.
    """
    if not design.strata:
        return np.zeros(len(table), dtype=np.intp)
    labels = read_strata(table, design.strata)
    numbers = {levels: i for i, levels in enumerate(design.strata_levels or [])}
    found = [numbers.get(levels, -1) for levels in labels.itertuples(index=False, name=None)]
    return np.array(found, dtype=np.intp)


def read_strata(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Write the columns of strata as text.

    Parameters
    ----------
    table : pandas.DataFrame
        Table with the columns.
    names : sequence of str
        The columns.

    Returns
    -------
    pandas.DataFrame
        One column a name, missing where there is no value.
    """
    for name in names:
        _check_column(table, name, "strata")
    columns = {name: label_levels(_blank_to_missing(table[name])) for name in names}
    return pd.DataFrame({name: column.astype(object) for name, column in columns.items()})


def read_covariate(table: pd.DataFrame, name: str) -> pd.Series:
    """Read a covariate as numbers where the column holds nothing else, else as labels.

    Parameters
    ----------
    table : pandas.DataFrame
        Table with the column.
    name : str
        The column.

    Returns
    -------
    pandas.Series
        Floats or ordered categories; blanks are missing. A column that is either is taken as it
        is.

    Raises
    ------
    InputError
        When there is no such column, or it holds numbers but for a few entries.
    """
    _check_column(table, name, "covariates")
    if isinstance(table[name].dtype, pd.CategoricalDtype) and table[name].cat.ordered:
        return table[name]
    values = _blank_to_missing(table[name])
    numbers = _read_numbers(values)
    is_number = pd.to_numeric(values, errors="coerce").notna()
    if (is_number == values.notna()).all():
        return numbers
    unread = sorted({str(value) for value in values[~is_number].dropna()})
    if numbers.nunique() > MOST_LEVELS and is_number.sum() > values.notna().sum() / 2:
        raise InputError(
            f"The covariate '{name}' holds numbers, but also {', '.join(map(repr, unread[:3]))}.",
            f"table 'lifetimes', column '{name}'",
            "empty what stands for no value, or write it as a number",
        )
    return label_levels(values)


def _check_column(table: pd.DataFrame, name: str, parameter: str) -> None:
    if name not in table.columns:
        raise InputError(
            f"There is no column '{name}'.",
            f"parameter '{parameter}'",
            closest(name, table.columns),
        )


def _blank_to_missing(column: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(column):
        return column
    values = column.astype(object)
    return values.mask(values.map(lambda value: isinstance(value, str) and not value.strip()))


def _read_numbers(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    return numbers.mask(np.isinf(numbers))


def number_lifetimes(table: pd.DataFrame) -> NDArray[np.intp]:
    """Tell which rows are stretches of one lifetime.

    Parameters
    ----------
    table : pandas.DataFrame
        As `check_lifetimes` returns it, with `spell` or without.

    Returns
    -------
    ndarray of int, shape (n,)
        The same number for the rows of a lifetime.

    Notes
    -----
    A row continues the one before it of the same customer and spell when that ended without churn
    and not after this one begins.
    """
    names = ["customer_id", *([] if "spell" not in table.columns else ["spell"])]
    keys = [pd.factorize(table[name])[0] for name in names]
    entry, end = (table[name].to_numpy(float) for name in ("entry_days", "duration_days"))
    order = np.lexsort((end, entry, *reversed(keys)))
    same = np.all([key[order][1:] == key[order][:-1] for key in keys], axis=0)
    stayed = ~table["churned"].to_numpy(bool)[order][:-1]
    # only a stretch that began after the start can continue another
    after = (entry[order][1:] >= end[order][:-1]) & (entry[order][1:] > 0)
    numbers = np.empty(len(table), dtype=np.intp)
    numbers[order] = np.cumsum(np.append(True, ~(same & stayed & after))) - 1
    return numbers


def leave_out(
    columns: dict[str, pd.Series], lifetimes: NDArray[np.intp], min_cell: int
) -> tuple[dict[str, pd.Series], pd.DataFrame]:
    """Keep the rows with a value in every column and no rare level; list the others.

    Parameters
    ----------
    columns : dict of str to pandas.Series
        Covariates by name.
    lifetimes : ndarray of int, shape (n,)
        Number of the lifetime each row belongs to.
    min_cell : int
        Lifetimes a level needs.

    Returns
    -------
    tuple
        The columns with the rows kept, and one row per reason: `covariate`, `n` (lifetimes that
        lost all or part of their rows), `why`.

    Raises
    ------
    TooLittleData
        When a covariate has one value only in the rows kept.
    """
    data = pd.DataFrame(columns)
    numbers = pd.Series(lifetimes, index=data.index)
    missing = data.isna()
    rows = [(name, numbers[gone].nunique(), "no value") for name, gone in missing.items()]
    rows = [row for row in rows if row[1]]
    texts = [name for name in data.columns if data[name].dtype != float]
    data = data.dropna()
    n_before = 0
    while len(data) != n_before:  # a level can become rare when lifetimes of others go
        n_before = len(data)
        for name in texts:
            counts = count_levels(data[name], numbers)
            rare = counts.index[counts < max(min_cell, 1)]
            found = [level for level in rare if counts[level]]
            rows += [(name, int(counts[level]), f"'{level}' is too rare") for level in found]
            data[name] = data[name].cat.remove_categories(rare)
        data = data.dropna()
    for name in data.columns:
        if data[name].nunique() < 2:
            few = f"fewer than two levels with {min_cell} lifetimes or more"
            raise TooLittleData(
                f"'{name}' has {few if name in texts else 'one value only'} among the lifetimes "
                "with a value in every covariate. Leave it out."
            )
    kept = {name: data[name] for name in data.columns}
    return kept, pd.DataFrame(rows, columns=["covariate", "n", "why"])


def count_levels(column: pd.Series, lifetimes: pd.Series) -> pd.Series:
    """Count the lifetimes that have each level at some time.

    Parameters
    ----------
    column : pandas.Series
        Categories.
    lifetimes : pandas.Series
        Number of the lifetime each row belongs to.

    Returns
    -------
    pandas.Series
        Lifetimes by level, in the order of the levels.
    """
    levels, codes = column.cat.categories, column.cat.codes.to_numpy(np.int64)
    numbers = lifetimes.loc[column.index].to_numpy(np.int64)
    size = int(numbers.max(initial=0)) + 1
    pairs = np.unique(codes[codes >= 0] * size + numbers[codes >= 0])
    return pd.Series(np.bincount(pairs // size, minlength=len(levels)), index=levels)


def make_design(
    columns: dict[str, pd.Series], lifetimes: pd.Series
) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]], pd.DataFrame]:
    """Lay out one column per term and name the reference levels.

    Parameters
    ----------
    columns : dict of str to pandas.Series
        Covariates by name, complete.
    lifetimes : pandas.Series
        Number of the lifetime each row belongs to.

    Returns
    -------
    tuple
        The terms; the levels of each covariate, the reference first; and the references: one row
        per text covariate: `covariate`, `reference`, `n`.
    """
    terms: dict[str, pd.Series] = {}
    levels: dict[str, tuple[str, ...]] = {}
    references = []
    for name, column in columns.items():
        if column.dtype == float:
            terms[name], levels[name] = column, ()
            continue
        counts = count_levels(column, lifetimes)
        reference = counts.idxmax()
        references.append((name, str(reference), int(counts.max())))
        others = list(counts.index.drop(reference))
        levels[name] = (str(reference), *map(str, others))
        for level in others:
            terms[f"{name}[{level}]"] = (column == level).astype(float)
    told = pd.DataFrame(references, columns=["covariate", "reference", "n"])
    return pd.DataFrame(terms), levels, told


def find_repeated(design: pd.DataFrame) -> list[str]:
    """List the terms that are combinations of the terms before them.

    Parameters
    ----------
    design : pandas.DataFrame
        One column a term.

    Returns
    -------
    list of str
        Terms that say nothing new.
    """
    products = design.corr().to_numpy()
    repeated = []
    for i, term in enumerate(design.columns):
        # what is left of a term's variance when the terms before it are swept out
        if products[i, i] < 1e-9:
            repeated.append(term)
        else:
            products = products - np.outer(products[:, i], products[i]) / products[i, i]
    return repeated
