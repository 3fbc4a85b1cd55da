"""Columns of text as distinct words and codes: what is done to text is done once a word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

Change = Callable[[pd.Series], pd.Series]
_LARGEST_KEY = 2**62


def encode(cells: Iterable[Any]) -> pd.Series:
    """Encode texts.

    Parameters
    ----------
    cells : iterable of str
        Text; None is empty.

    Returns
    -------
    pandas.Series of category
        Words in the order of their first cell, before them the empty text, which has code 0.
    """
    codes, words = pd.factorize(np.asarray(list(cells), dtype=object))
    return build(codes, words)


def build(codes: NDArray[Any], words: Sequence[Any] | NDArray[Any]) -> pd.Series:
    """Make a column of codes and words.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        Place of each cell's word; -1 is empty.
    words : sequence of str
        Words, several of which may be equal or empty.

    Returns
    -------
    pandas.Series of category
        As from :func:`encode`.
    """
    listed = np.empty(len(words) + 1, dtype=object)
    listed[0], listed[1:] = "", words
    places, distinct = pd.factorize(listed)
    kind = pd.CategoricalDtype(pd.Index(distinct, dtype=object))
    if len(distinct) == len(listed):
        renamed = np.asarray(codes, dtype=np.int64) + 1
    else:
        renamed = places[1:][codes] if len(words) else np.zeros(len(codes), dtype=np.int64)
        renamed[np.asarray(codes) < 0] = 0
    return pd.Series(pd.Categorical.from_codes(renamed, dtype=kind))


def repeat(word: str, n: int) -> pd.Series:
    """Make a column of one word.

    Parameters
    ----------
    word : str
        The text of every cell.
    n : int
        Number of cells.

    Returns
    -------
    pandas.Series of category
        Shape (n,).
    """
    return build(np.zeros(n, dtype=np.int8), [word])


def from_arrow(column: pa.ChunkedArray) -> pd.Series:
    """Encode an Arrow column of text.

    Parameters
    ----------
    column : pyarrow.ChunkedArray of str
        Text, dictionary-encoded or not; null is empty.

    Returns
    -------
    pandas.Series of category
        As from :func:`encode`.
    """
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    chunks = column.unify_dictionaries().chunks
    if not chunks:
        return repeat("", 0)
    codes = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in chunks]
    return build(np.concatenate(codes), chunks[-1].dictionary.to_numpy(zero_copy_only=False))


def arrow_text(column: pa.ChunkedArray) -> pd.Series:
    """Write a typed column as a CSV would hold it.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        Values of one type.

    Returns
    -------
    pandas.Series of category
        Encoded text, shape (n,); null and NaN are empty.
    """
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type) and pa.types.is_string(column.type.value_type):
        return from_arrow(column)
    kind = column.type
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), None, column)
        known = column.drop_null()
        whole = pc.and_(pc.equal(pc.floor(known), known), pc.less(pc.abs(known), 2.0**53))
        if len(known) and pc.all(whole).as_py():  # an id that passed through a float: 7.0 is "7"
            column = column.cast(pa.int64())
    elif pa.types.is_timestamp(kind) and kind.tz is None:
        midnight = pc.equal(pc.floor_temporal(column, unit="day"), column)
        if pc.all(midnight).as_py():  # calendar dates, which no zone may shift
            column = column.cast(pa.date32())
    try:
        text = column.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # lists, structs, bytes
        listed = [None if v is None else str(v) for v in column.to_pylist()]
        text = pa.chunked_array([pa.array(listed, pa.string())])
    return from_arrow(text)


def words_of(column: pd.Series) -> pd.Series:
    """Return the words of a column.

    Parameters
    ----------
    column : pandas.Series of category
        The column.

    Returns
    -------
    pandas.Series of str
        By code, the empty text first; some may have no cell.
    """
    return pd.Series(column.cat.categories.to_numpy(), dtype=object)


def codes_of(column: pd.Series) -> NDArray[Any]:
    """Return the codes of a column.

    Parameters
    ----------
    column : pandas.Series of category
        The column.

    Returns
    -------
    ndarray of int
        Shape (n,); 0 is empty.
    """
    return column.cat.codes.to_numpy()


def is_filled(column: pd.Series) -> NDArray[np.bool_]:
    """Tell which cells hold text.

    Parameters
    ----------
    column : pandas.Series of category
        The column.

    Returns
    -------
    ndarray of bool
        Shape (n,).
    """
    return codes_of(column) != 0


def count_cells(column: pd.Series) -> NDArray[np.int64]:
    """Count the cells of each word.

    Parameters
    ----------
    column : pandas.Series of category
        The column.

    Returns
    -------
    ndarray of int
        By code.
    """
    return np.bincount(codes_of(column), minlength=len(column.cat.categories))


def change_words(column: pd.Series, change: Change) -> pd.Series:
    """Write words differently.

    Parameters
    ----------
    column : pandas.Series of category
        The column.
    change : callable
        From a Series of words to one of new words, same shape.

    Returns
    -------
    pandas.Series of category
        The column with the new words.
    """
    words = words_of(column)
    changed = change(words).to_numpy()
    if (changed == words.to_numpy()).all():
        return column
    return build(codes_of(column), changed)


def keep_cells(column: pd.Series, rows: NDArray[np.bool_]) -> pd.Series:
    """Empty the cells of other rows.

    Parameters
    ----------
    column : pandas.Series of category
        The column.
    rows : ndarray of bool, shape (n,)
        Rows that keep their cell.

    Returns
    -------
    pandas.Series of category
        Shape (n,).
    """
    return pd.Series(pd.Categorical.from_codes(codes_of(column) * rows, dtype=column.dtype))


def place_cells(column: pd.Series, places: NDArray[np.int64]) -> pd.Series:
    """Put cells elsewhere.

    Parameters
    ----------
    column : pandas.Series of category
        The column.
    places : ndarray of int, shape (n,)
        Which cell of the column comes here; -1 is none.

    Returns
    -------
    pandas.Series of category
        Shape (n,).
    """
    codes = np.where(places < 0, 0, codes_of(column)[places]) if len(column) else places * 0
    return pd.Series(pd.Categorical.from_codes(codes, dtype=column.dtype))


def join(parts: list[pd.Series]) -> pd.Series:
    """Put columns below each other.

    Parameters
    ----------
    parts : list of pandas.Series of category
        At least one.

    Returns
    -------
    pandas.Series of category
        All their cells.
    """
    from pandas.api.types import union_categoricals

    return parts[0] if len(parts) == 1 else pd.Series(union_categoricals(parts))


def find_repeated(columns: Iterable[pd.Series]) -> NDArray[np.bool_]:
    """Find rows that an earlier row equals.

    Parameters
    ----------
    columns : iterable of pandas.Series of category
        At least one, of one length.

    Returns
    -------
    ndarray of bool
        Shape (n,).
    """
    key, size = np.zeros((), dtype=np.int64), 1
    for column in columns:
        n_words = len(column.cat.categories)
        if size * n_words > _LARGEST_KEY:  # few of the possible keys are there: number those
            key, distinct = pd.factorize(key)
            size = len(distinct)
        key = key * n_words + codes_of(column)
        size *= n_words
    return pd.Series(key).duplicated().to_numpy()


def to_arrow(column: pd.Series) -> pa.Array:
    """Write a column for Arrow.

    Parameters
    ----------
    column : pandas.Series of category
        The column, or a slice of it.

    Returns
    -------
    pyarrow.DictionaryArray
        Empty text is null; the dictionary holds the words of these cells alone.
    """
    codes = codes_of(column)
    used = np.flatnonzero(count_cells(column))
    used = used[used > 0]
    places = np.zeros(len(column.cat.categories), dtype=np.int32)
    places[used] = np.arange(len(used), dtype=np.int32)
    dictionary = pa.array(column.cat.categories.to_numpy()[used], type=pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(places[codes], mask=codes == 0), dictionary)
