"""Figures of kinds draw what the tables say."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from cxlib.journeys import list_walks
from cxlib.journeys.kinds.describe import find_representatives
from cxlib.journeys.kinds.plots import (
    plot_positions,
    plot_profiles,
    plot_segments,
    plot_sequences,
)
from cxlib.journeys.kinds.sequences import list_positions, list_sequences
from cxlib.style import PALETTE, figure_svg
from tests.journeys.kinds.test_wording import SEGMENTS

PROFILES = pd.DataFrame(
    {
        "segment": ["web + order"] * 3 + ["shop"] * 3,
        "touchpoint": ["order", "web", "shop"] * 2,
        "share": [0.5, 1, 0, 0, 0, 1],
        "other_share": [0, 0, 1, 0.5, 1, 0],
        "place": [1, 0.5, None, None, None, 0],
    }
)


def _texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def _legend(axes) -> list[str]:
    return [text.get_text() for text in axes.get_figure(root=True).legends[0].get_texts()]


def test_segments_show_share_and_verdict():
    """A bar, an interval and a verdict a segment; pale where it is not stable."""
    axes = plot_segments(SEGMENTS)
    assert [bar.get_width() for bar in axes.patches] == pytest.approx(list(SEGMENTS["share"]))
    assert _texts(axes) == ["60.0%\nstable (0.95)", "40.0%\nweak (0.70)"]
    first, second = (bar.get_facecolor() for bar in axes.patches)
    assert first != second
    assert len(axes.collections) == 1  # the intervals
    assert figure_svg(axes).startswith("<svg")


def test_profiles_have_a_row_a_segment_and_go_by_place():
    """Touchpoints in the order journeys reach them, shares in per cent; drawn on the axes given."""
    _, axes = plt.subplots()
    assert plot_profiles(PROFILES, ax=axes) is axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["web + order", "shop"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["shop", "web", "order"]
    assert sorted(_texts(axes)) == ["100", "100", "50"]
    plt.close("all")


@pytest.fixture
def tables(make_log) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return positions and sequences of two kinds: `a b` and `c a d`, some still open."""
    walks = [(f"c{i}", "a b" if i % 3 else "c a d") for i in range(30)]
    listed = list_walks(make_log(walks, start="2024-12-30"))
    labels = ["short" if n == 20 else "long" for n in listed.paths["n"]]
    positions = list_positions(listed, labels, n_steps=4)
    found = find_representatives(listed, labels)
    return positions, list_sequences(listed, labels, found, n_journeys=8)


def test_positions_are_stacks_of_shares(tables):
    """A panel a segment, each step a stack up to 1, large blocks named, one legend."""
    axes = plot_positions(tables[0])
    panels = axes.get_figure(root=True).axes
    assert [panel.get_title(loc="left") for panel in panels] == ["short", "long"]
    for panel in panels:
        tops = {}
        for bar in panel.patches:
            x = round(bar.get_x() + bar.get_width() / 2)
            tops[x] = max(tops.get(x, 0), bar.get_y() + bar.get_height())
        assert tops == pytest.approx({1: 1, 2: 1, 3: 1, 4: 1})
    assert _texts(panels[0]) == ["a", "b"]
    assert sorted(_texts(panels[1])) == ["a", "c", "d"]
    assert set(_legend(axes)) == {"a", "b", "c", "d", "other places", "may still go on"}
    assert panels[-1].get_xlabel() == "step"
    assert figure_svg(axes).startswith("<svg")


def test_rare_places_share_a_grey_and_nothing_is_lost(tables):
    """With one colour, the others are grey; large ones are still named."""
    axes = plot_positions(tables[0], top=1)
    colours = {bar.get_facecolor()[:3] for bar in axes.patches}
    assert len(colours) == 3  # the place, all others, those that may go on
    assert sorted(_texts(axes)) == ["a", "b"]
    assert _legend(axes) == ["a", "other places", "may still go on"]


def test_sequences_are_rows_of_blocks_in_the_colours_of_the_positions(tables):
    """A picture a segment with a row a journey; runs of one place carry its name."""
    from matplotlib.colors import to_rgb

    positions, sequences = tables
    axes = plot_sequences(sequences, positions)
    panels = axes.get_figure(root=True).axes
    picture = panels[0].images[0].get_array()
    assert picture.shape == (8, 4, 3)
    common = _legend(axes)[:4]
    shade = to_rgb(PALETTE[common.index("a")])
    assert picture[:, 0].tolist() == [pytest.approx(shade)] * 8
    assert _texts(panels[0]) == ["a", "b"]
    assert len(panels[0].patches) == 8  # all are open after their second step
    assert picture[:, 3].min() == 1  # white after the end
    assert figure_svg(axes).startswith("<svg")
