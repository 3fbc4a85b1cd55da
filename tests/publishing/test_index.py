"""Tests of the index, the mail and the summary of a batch."""

from __future__ import annotations

import html.parser
import json
import re

import pytest

from cxlib.errors import RunError
from cxlib.publishing import index
from cxlib.publishing.index import render_index, write_index
from cxlib.publishing.report import STATUSES
from cxlib.publishing.summary import describe_outcomes, summarise_batch
from cxlib.publishing.wording import describe_change, describe_figure
from tests.batches import make_batch, make_figure, make_run

EARLIER = {"period_start": "2025-07-01", "period_end": "2025-12-31"}
LATER = {"period_start": "2026-01-01", "period_end": "2026-06-30"}
EVIL = "<script>alert(1)</script>"


class Tags(html.parser.HTMLParser):
    """Collects the tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))


def make_forty(parameters, shift=0.0):
    """Make forty sets with nine figures each, some of which have no answer."""
    runs = []
    for number in range(40):
        figures = [
            make_figure(
                30.0 + number + shift, 20.0 + number, 55.0 + number,
                id=f"figure_{place}", label=f"Share that is still here after {place} months",
            )
            for place in range(9)
        ]  # fmt: skip
        status = {3: "failed-cell", 4: "too-little-data", 5: "timeout"}.get(number, "ok")
        figures = figures if status == "ok" else []
        name = f"Team {number} of the north-west"
        runs.append(make_run(name, *figures, status=status, parameters=parameters))
    return make_batch(*runs)


def write_all(batch, out):
    """Write the folders of the runs of a batch, as far as the index looks at them."""
    for run in batch["runs"]:
        (out / run["folder"] / "tables").mkdir(parents=True)
        (out / run["folder"] / "report.html").touch()
        (out / run["folder"] / "notebook.ipynb").touch()


def test_the_index_of_forty_reports_is_light(tmp_path):
    """Forty sets with nine compared figures each stay under 150 kB; so does the mail."""
    batch = make_forty(LATER, shift=4.0)
    write_all(batch, tmp_path)

    write_index(batch, tmp_path, previous=make_forty(EARLIER))

    assert (tmp_path / "index.html").stat().st_size <= 150_000
    assert (tmp_path / "mail.html").stat().st_size <= 150_000


def test_figures_are_said_as_a_manager_would():
    """Value, interval, n, difference and what it is worth."""
    figure = make_figure(31.0, 25.0, 37.0)
    change = {"difference": 4.0, "conf_low": 1.2, "conf_high": 6.8, "verdict": "moved", "why": ""}

    assert describe_figure(figure) == "NPS 31.00 (25.00 to 37.00), n 412"
    assert describe_figure(figure | {"change": change}) == (
        "NPS 31.00 (25.00 to 37.00), n 412: up 4.00 against the last batch (1.20 to 6.80), moved"
    )


@pytest.mark.parametrize(
    ("unit", "change", "told"),
    [
        ("share", {"difference": -0.0312}, "down 3.1 points, not clearly"),
        ("share", {"difference": -0.0312, "conf_low": -0.07, "conf_high": 0.01},
         "down 3.1 points (-7.0 to 1.0), not clearly"),
        ("days", {"difference": 40.0, "conf_low": 12.0},
         "up 40.0 days (12.0 or more), not clearly"),
        ("days", {"difference": 40.0, "conf_high": 150.0},
         "up 40.0 days (150 or less), not clearly"),
        ("points", {"difference": 0.0}, "as before, not clearly"),
        ("points", {"difference": -0.004}, "hardly changed, not clearly"),
        ("share", {"difference": 0.0004}, "hardly changed, not clearly"),
        ("share", {"difference": 0.0004, "conf_low": -0.0004, "conf_high": 0.0012},
         "hardly changed (0.0 to 0.1), not clearly"),
        ("share", {"difference": 0.0004, "verdict": "moved"}, "slightly up, moved"),
        ("count", {"difference": 12, "verdict": "not tested", "why": "no interval"}, "up 12"),
        ("count", {"difference": 0, "verdict": "not tested", "why": "no interval"}, "as before"),
        ("", {"difference": 2.0, "verdict": "not tested", "why": "the two share rows"},
         "up 2.00, not tested"),
        ("", {"difference": 2.0, "verdict": "not tested", "why": "periods of different length"},
         "up 2.00, periods of different length"),
        ("", {"difference": 2.0, "verdict": "not tested", "why": "too few (n 12)"},
         "up 2.00, not tested: too few (n 12)"),
        ("", {"difference": None, "verdict": "not compared", "why": "it was 'x' before"},
         "not compared: it was 'x' before"),
    ],
)  # fmt: skip
def test_changes_are_said_as_a_manager_would(unit, change, told):
    """The interval of the difference stands with it; what holds for all is said once elsewhere."""
    ends = {"conf_low": None, "conf_high": None, "verdict": "not clearly", "why": ""}

    assert describe_change(make_figure(unit=unit, change=ends | change), "") == told


def test_what_is_not_tested_is_said_once():
    """Why, how many, and what to do about it; a count without an interval is none of them."""
    count = make_figure(9, None, None, id="n", unit="count")
    runs = [make_run(name, make_figure(), count) for name in ("Cork", "Sligo")]
    page = render_index(summarise_batch(make_batch(*runs), previous=make_batch(*runs)))

    said = "None of the 2 differences is tested: the two batches share rows. Give both period_start"
    assert page.count(said) == 1
    assert page.count("as before, not tested") == 2
    assert "the two share rows" not in page
    later = [
        make_run(name, make_figure(n=n), parameters=LATER) for name, n in (("a", 9), ("b", 90))
    ]
    early = [make_run(name, make_figure(), parameters=EARLIER) for name in ("a", "b")]
    told = summarise_batch(make_batch(*later), previous=make_batch(*early))["compared"]["untested"]
    assert told == ["1 difference is not tested: on one side fewer than 20 tell."]


def test_days_and_versions_of_both_batches_are_told():
    """The last day that counts, where all sets agree; what made the earlier batch, once."""
    keys = {"cxlib": "a", "notebook": "b"}, {"cxlib": "c", "notebook": "d"}
    now = [
        make_run(name, make_figure(), parameters=LATER, as_of="2026-05-31", key=keys[0])
        for name in ("Cork", "Sligo")
    ]
    old = [
        make_run(name, make_figure(), parameters=EARLIER, as_of="2026-05-31", key=keys[1])
        for name in ("Cork", "Sligo")
    ]
    summary = summarise_batch(make_batch(*now), previous=make_batch(*old, title="April"))

    for page in (render_index(summary), index.render_mail(summary)):
        assert "Data up to 31 May 2026" in page
        assert "Against “April”</strong> (data up to 31 December 2025): " in page
        made = "made by another version of cxlib and of the notebook Scores: differences may"
        assert page.count(made) == 1
    now[0]["as_of"] = "2026-04-30"
    assert summarise_batch(make_batch(*now))["until"] == ""


def test_a_set_that_is_held_back_is_no_answer():
    """On a list that is handed round it is told as held back; the analyst's says why."""
    runs = [make_run("Cork", held_back="2 × an e-mail address"), make_run("Sligo")]
    summary = summarise_batch(make_batch(*runs))
    assert summary["sentences"] == ["All 2 reports are ok."]
    assert "not in share/: 2 × an e-mail address" in render_index(summary)

    summary["sets"][0] |= {"not_shared": "", "held_back": "This report is held back."}
    summary["sentences"] = describe_outcomes(summary["sets"])
    assert summary["sentences"] == ["1 of 2 reports is held back.", "1 of 2 reports is ok."]
    page = render_index(summary)
    assert page.count('aria-hidden="true">■</span>held back</span>') == 1
    assert page.count('aria-hidden="true">✓</span>ok</span>') == 1
    assert '<option value="held-back">held back</option>' in page
    assert "■ held back" in index.render_mail(summary)


def test_the_outcome_is_counted_worst_first():
    """Sentences a manager can read; what was kept counts as what it is."""
    statuses = ["ok"] * 3 + ["too-little-data"] * 2 + ["failed-cell", "ok-with-warnings"]
    runs = [make_run(str(place), status=status) for place, status in enumerate(statuses)]
    kept = make_run("kept", status="skipped-unchanged", kept_status="too-little-data")

    assert summarise_batch(make_batch(*runs, kept))["sentences"] == [
        "1 of 8 reports failed.",
        "3 of 8 reports have too little data.",
        "1 of 8 reports is ok, with notes.",
        "3 of 8 reports are ok.",
        "1 of 8 reports was kept: nothing behind it has changed.",
    ]
    assert summarise_batch(make_batch(*runs[:3]))["sentences"] == ["All 3 reports are ok."]
    assert summarise_batch(make_batch(runs[0]))["sentences"] == ["1 of 1 report is ok."]
    assert summarise_batch(make_batch())["sentences"] == ["There is no report."]


def test_every_status_has_a_word_and_a_shape(tmp_path):
    """No status is told by colour alone."""
    runs = [make_run(status, make_figure(), status=status) for status in STATUSES]
    page = render_index(summarise_batch(make_batch(*runs)))

    for shape, word, _, _ in STATUSES.values():
        assert f'aria-hidden="true">{shape}</span>{word}</span>' in page


def test_the_summary_says_what_the_page_says(tmp_path):
    """Statuses, figures with their change, and how many tests were made."""
    now = make_batch(
        make_run("Cork", make_figure(60, 55, 65), parameters=LATER),
        make_run("Sligo", status="too-little-data", folder=""),
    )
    before = make_batch(
        make_run("Cork", make_figure(31, 25, 37), parameters=EARLIER), title="April"
    )

    write_index(now, tmp_path, previous=before)

    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert summary["counts"] == {"ok": 1, "too-little-data": 1}
    assert summary["compared"] == {
        "title": "April",
        "n_tested": 1,
        "n_moved": 1,
        "n_untested": 0,
        "untested": [],
        "moved": [
            "Scores: region Cork: NPS 60.00 (55.00 to 65.00), n 412: "
            "up 29.00 against the last batch (21.20 to 36.80), moved"
        ],
        "until": "31 December 2025",
        "remade": "",
    }
    assert summary["sets"][0]["key_figures"][0]["change"]["before"] == 31
    assert summary["sets"][1]["advice"] == "Only 7 in Sligo."
    page = (tmp_path / "index.html").read_text("utf-8")
    assert (
        "Against “April”</strong> (data up to 31 December 2025): of 1 figures tested, 1 moved."
        in page
    )


def test_only_what_is_there_is_linked(tmp_path):
    """A run that left no folder, and a file that was not written, have no link."""
    batch = make_batch(make_run("Cork"), make_run("Sligo", status="not-run", folder=""))
    (tmp_path / batch["runs"][0]["folder"]).mkdir()
    (tmp_path / batch["runs"][0]["folder"] / "report.html").touch()

    write_index(batch, tmp_path)

    links = re.findall(r'href="([^"]+)"', (tmp_path / "index.html").read_text("utf-8"))
    assert links == ["#main", "scores__segment-Cork/report.html"]


def test_figures_of_several_sets_share_an_axis_and_those_of_one_do_not():
    """A notebook with several sets is a table of small multiples; one set is a plain table."""
    several = render_index(
        summarise_batch(make_batch(make_run("a", make_figure()), make_run("b", make_figure())))
    )
    one = render_index(summarise_batch(make_batch(make_run("a", make_figure()))))

    assert several.count('<use href="#axis-0-0"/>') == 2
    assert several.count('id="axis-0-0"') == 1
    assert "<svg" not in one


def test_failures_show_no_value_and_no_headline():
    """What a failed run had said before it failed is not an answer."""
    run = make_run("Cork", status="failed-cell", headline="All is well.")
    run["error"]["message"] = "secret@example.org"
    for text in (
        render_index(summarise_batch(make_batch(run))),
        json.dumps(summarise_batch(make_batch(run))),
    ):
        assert "All is well." not in text
        assert "secret" not in text


def test_names_from_the_data_stay_text():
    """Markup in names, labels and headlines is shown, not run."""
    run = make_run(
        EVIL,
        make_figure(label=EVIL),
        make_figure("=cmd()", id="x", label="x"),
        headline=EVIL,
        title=EVIL,
    )
    summary = summarise_batch(make_batch(run, run, title=EVIL))
    for page in (render_index(summary), index.render_mail(summary)):
        assert EVIL not in page
        assert "&lt;script&gt;alert(1)" in page


def test_the_mail_is_plain():
    """No script, picture, link, style sheet or class; every heading of its table has a scope."""
    summary = summarise_batch(make_forty(LATER), previous=make_forty(EARLIER))
    mail = index.render_mail(summary)
    tags = Tags(mail).tags

    assert not {"script", "img", "a", "link", "style"} & {tag for tag, _ in tags}
    assert not any("class" in attributes for _, attributes in tags)
    assert all("scope" in attributes for tag, attributes in tags if tag == "th")
    assert [tag for tag, _ in tags if re.fullmatch("h[1-6]", tag)] == ["h1"]
    assert "3 of 40 reports" not in mail  # three, but for different reasons
    assert "1 of 40 reports has too little data." in mail


def test_an_index_that_cannot_be_written_is_told(tmp_path):
    """The message names the folder."""
    (tmp_path / "out").touch()
    with pytest.raises(RunError, match=r"The index could not be written to .*out: "):
        write_index(make_batch(), tmp_path / "out")
