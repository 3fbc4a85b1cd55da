"""SPSS files: codes as they are, or the labels of their values; missing is what the file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from cxlib.data.words import arrow_text, change_words
from cxlib.errors import InputError
from cxlib.workbook import TableSpec


def read_spss(file: Path, spec: TableSpec, where: str) -> pd.DataFrame:
    """Read an SPSS file.

    Parameters
    ----------
    file : pathlib.Path
        A ``.sav`` or ``.zsav`` file.
    spec : TableSpec
        Its columns with ``labels: true`` become the labels of their values.
    where : str
        File and table, for messages.

    Returns
    -------
    pandas.DataFrame
        Encoded text by the names of the variables. System-missing and user-missing values are
        empty; a code without a label stays a code.

    Raises
    ------
    InputError
        When the file cannot be read, or a column has no labels.
    """
    import pyreadstat

    encoding = spec.encoding if "encoding" in spec.model_fields_set else None
    try:
        frame, about = pyreadstat.read_sav(str(file), encoding=encoding)
    except (pyreadstat.PyreadstatError, pyreadstat.ReadstatError, ValueError) as error:
        problem = f"'{file.name}' cannot be read: {str(error).rstrip('.')}."
        raise InputError(problem, where, "open it in SPSS or PSPP and save it again") from error
    labelled = {str(source.column) for source in spec.columns.values() if source.labels}
    bare = sorted(labelled & set(frame.columns) - set(about.variable_value_labels))
    if bare:
        problem = f"The values of '{bare[0]}' have no labels."
        raise InputError(problem, f"{where}, column '{bare[0]}'", "remove 'labels: true'")
    return pd.DataFrame(
        {
            name: _write_cells(frame[name], about.variable_value_labels, name in labelled)
            for name in frame.columns
        }
    )


def _write_cells(column: pd.Series, labels: dict[str, dict[Any, str]], wanted: bool) -> pd.Series:
    text = arrow_text(pa.chunked_array([pa.array(column, from_pandas=True)]))
    if not wanted:
        return text
    by_code = {_write_code(code): label for code, label in labels[str(column.name)].items()}
    return change_words(text, lambda codes: codes.map(lambda code: by_code.get(code, code)))


def _write_code(code: Any) -> str:
    return str(int(code)) if isinstance(code, float) and code.is_integer() else str(code)
