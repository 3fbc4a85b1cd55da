"""An outcome is described beside perception and gap, no more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError
from cxlib.gaps import select_answers, summarise_outcome_links
from tests.gaps.answers import make_answers, make_outcomes

SURVEY = "r0 x 7 4\nr1 x 6 5\nr2 x 7 6\nr3 x 5 2\nr4 x 6 6\nr5 x 7 3"
ANSWERS = pd.concat([make_answers(SURVEY), make_outcomes("rec", [6, 7, 9, 3, 10])])


def test_correlation_with_fishers_interval():
    """Five respondents have an outcome; tanh(atanh(r) -+ 1.96 / sqrt(2)) as cor.test() in R."""
    links = summarise_outcome_links(select_answers(ANSWERS), outcome="rec").set_index("name")
    r = np.corrcoef([4, 5, 6, 2, 6], [6, 7, 9, 3, 10])[0, 1]
    row = links.loc["perception"]
    assert (5, pytest.approx(r)) == (row["n"], row["correlation"])
    half = 1.959964 / np.sqrt(2)
    expected = np.tanh(np.arctanh(r) + np.array([-half, half]))
    assert pytest.approx(list(expected), abs=1e-6) == [row["conf_low"], row["conf_high"]]
    gap = np.corrcoef([-3, -1, -1, -3, 0], [6, 7, 9, 3, 10])[0, 1]
    assert pytest.approx(gap) == links.loc["gap", "correlation"]
    assert list(links.index) == ["perception", "gap", "expectation"]


def test_nothing_is_told_without_variance_or_respondents():
    """Equal outcomes correlate with nothing; three respondents leave no interval."""
    equal = pd.concat([make_answers(SURVEY), make_outcomes("rec", [5] * 6)])
    links = summarise_outcome_links(select_answers(equal), outcome="rec")
    assert links[["correlation", "conf_low", "conf_high", "p_value"]].isna().all(axis=None)
    few = pd.concat([make_answers(SURVEY), make_outcomes("rec", [5, 6, 7])])
    links = summarise_outcome_links(select_answers(few), outcome="rec")
    assert list(links["n"]) == [3, 3, 3]
    assert links["correlation"].isna().all()


def test_perfect_line_has_no_interval():
    """R = 1 is shown as it is; Fisher's interval has no value there."""
    line = pd.concat([make_answers(SURVEY), make_outcomes("rec", [4, 5, 6, 2, 6, 3])])
    row = summarise_outcome_links(select_answers(line), outcome="rec").iloc[0]
    assert pytest.approx(1.0) == row["correlation"]
    assert np.isnan(row["conf_low"])


def test_unknown_outcome_suggests_the_closest():
    """A typing error is answered with what there is."""
    with pytest.raises(InputError, match=r"'recc' is not an outcome item[\s\S]*mean 'rec'"):
        summarise_outcome_links(select_answers(ANSWERS), outcome="recc")
