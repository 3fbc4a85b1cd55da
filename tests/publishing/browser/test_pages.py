"""Tests of pages in a real browser: what they load and run, by keyboard and by screen reader."""

from __future__ import annotations

import nbformat
import pandas as pd
import pytest

from cxlib.formats import render_table
from tests.publishing.browser.conftest import LOOKS, NOTEBOOKS, violations

NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
TITLE = nbformat.v4.new_markdown_cell("# T\n## One\na")
HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 2'>",
    "\"'><svg onload=window.hacked=3>",
    "=cmd()|' /C calc'!A0",
    "javascript:window.hacked=4",
    "line\u2028paragraph\u2029end",
    "</style></script><script>window.hacked = 5</script>",
    "{{ 7 * 7 }} {% raw %}",
]


def shown(table, **options):
    """Return a cell that shows a table as ``cxlib.show`` does."""
    page, text = render_table(table, title=options.pop("title", "Rows"), formats=options)
    data = {"text/html": page, "text/plain": text}
    about = {"text/html": {"cxlib": True}}
    display = nbformat.v4.new_output("display_data", data=data, metadata=about)
    return nbformat.v4.new_code_cell("secret_code()", outputs=[display])


def first_cells(browser):
    """Return the first cell of each row in the order of the page."""
    rows = "document.querySelectorAll('main tbody tr')"
    return browser.run(f"[...{rows}].filter(row => !row.hidden).map(row => row.cells[0].innerText)")


def tab_to(browser, selector, *, limit=60):
    """Press Tab until an element that matches has the focus."""
    for _ in range(limit):
        browser.press("Tab")
        if browser.run(f"document.activeElement.matches({selector!r})"):
            return
    pytest.fail(f"the keyboard does not come to {selector}")


@pytest.mark.parametrize("name", NAMES)
def test_pages_ask_for_nothing_and_nothing_is_wrong_with_them(name, browser, render):
    """A page loads itself alone, the console is silent, every figure is drawn."""
    for with_code in (False, True):
        path = render(name, with_code=with_code)
        browser.look()
        browser.open(path)
        assert browser.requests == [path.as_uri()]
        assert browser.complaints == []
        assert browser.run("[...document.images].every(i => i.complete && i.naturalWidth > 99)")
        assert browser.run("document.querySelector('main').innerText.includes('import ')") is False
        assert bool(browser.run("document.querySelectorAll('.code').length")) is with_code


@pytest.mark.parametrize("name", NAMES)
def test_pages_break_no_rule_of_accessibility(name, browser, render, axe):
    """Axe-core finds nothing serious, with everything open, in light, dark and print."""
    path = render(name, with_code=name == NAMES[0])
    for look, (scheme, media) in LOOKS.items():
        browser.look(scheme=scheme, media=media)
        browser.open(path)
        browser.run("document.querySelectorAll('details').forEach(part => { part.open = true; })")
        assert violations(browser, axe) == [], look


def test_the_rules_find_what_is_wrong(browser, axe, tmp_path):
    """The check would tell: a page with grey letters and a picture without words fails."""
    path = tmp_path / "bad.html"
    path.write_text("<title>t</title><p style='color:#aaa'>pale</p><img src='data:,'>")
    browser.look()
    browser.open(path)

    assert {rule for rule, _ in violations(browser, axe)} >= {"color-contrast", "image-alt"}


def test_tables_sort_with_the_keyboard(browser, render):
    """By value and not by letters, gaps last, equal rows in their order; a third time undoes it."""
    shares = [0.1004, -0.5, None, 0.0951, 12.0, 0.1001, 0.1004, -0.3]
    table = pd.DataFrame({"name": list("abcdefgh"), "share": shares})
    path = render([TITLE, shown(table, share="percent")])
    browser.look()
    browser.open(path)
    heads = "[...document.querySelectorAll('main th[scope=col]')].map(h => h.ariaSort)"

    tab_to(browser, "main th:nth-child(2) > button.sort")
    browser.press("Enter")
    assert first_cells(browser) == list("bhdfagec")
    assert browser.run(heads) == [None, "ascending"]
    browser.press(" ", " ")
    assert first_cells(browser) == list("eagfdhbc")
    assert browser.run(heads) == [None, "descending"]
    browser.press("Enter")
    assert first_cells(browser) == list("abcdefgh")
    assert browser.run(heads) == [None, None]
    assert browser.run("document.activeElement.innerText") == "share"


def test_tables_filter_with_the_keyboard(browser, render):
    """Rows that hold all the words stay, and how many is said; short tables need no filter."""
    long = pd.DataFrame({"name": [f"row {i}" for i in range(12)], "n": range(12)})
    path = render([TITLE, shown(long), shown(long.head(10))])
    browser.look()
    browser.open(path)
    status = "document.querySelector('[role=status]').innerText"

    assert browser.run("document.querySelectorAll('main input').length") == 1
    assert browser.run("document.querySelector('main input').labels[0].innerText") == (
        "Filter rows of Rows"
    )
    tab_to(browser, "main input")
    browser.type("ROW 1")
    assert first_cells(browser)[:3] == ["row 1", "row 10", "row 11"]
    assert browser.run(status) == "3 of 12 rows shown"
    for _ in range(5):
        browser.press("Backspace")
    assert browser.run(status) == "12 of 12 rows shown"


def test_what_the_data_hold_stays_text(browser, render):
    """Scripts, formulas and odd line ends in cells, labels and parameters are shown, never run."""
    table = pd.DataFrame({HOSTILE[0]: HOSTILE, "n": range(len(HOSTILE))})
    about = {"image/svg+xml": {"title": HOSTILE[1], "alt": HOSTILE[2]}}
    namespace = "xmlns='http://www.w3.org/2000/svg'"
    svg = f"<svg {namespace} onload='parent.hacked=6'><script>hacked=7</script></svg>"
    figure = nbformat.v4.new_output("display_data", data={"image/svg+xml": svg}, metadata=about)
    foreign = nbformat.v4.new_output(
        "display_data", data={"text/html": HOSTILE[0], "text/plain": HOSTILE[1]}
    )
    path = render(
        [
            nbformat.v4.new_markdown_cell(f"# T\n## {HOSTILE[0]}\n{HOSTILE[1]}"),
            shown(table, title=HOSTILE[6]),
            nbformat.v4.new_code_cell("", outputs=[figure, foreign]),
        ],
        with_code=True,
        title=HOSTILE[6],
        parameters={"segment_by": HOSTILE[2], "segment": HOSTILE[6]},
        warnings=HOSTILE,
        refusals=HOSTILE,
        tables=HOSTILE,
        error={"class": HOSTILE[6], "message": "", "cell": 1},
        status="failed-cell",
    )
    browser.look()
    browser.open(path)

    assert browser.complaints == []
    assert browser.requests == [path.as_uri()]
    assert browser.run("typeof hacked") == "undefined"
    assert browser.run("document.scripts.length") == 1
    cells = browser.run(
        "[...document.querySelectorAll('main tbody th')].map(cell => cell.textContent)"
    )
    assert cells == HOSTILE
    assert browser.run("document.querySelector('h1').textContent") == HOSTILE[6]


def test_the_policy_stops_what_is_injected(browser, render):
    """Were something to slip through, it would neither run nor load nor leave."""
    path = render([TITLE])
    browser.look()
    browser.open(path)
    browser.run(
        """
        document.body.insertAdjacentHTML("beforeend",
          "<img src='https://example.org/x.png' onerror='window.hacked = 1'>"
          + "<form action='https://example.org/'></form><iframe src='report.html'></iframe>");
        const script = document.createElement("script");
        script.textContent = "window.hacked = 2";
        document.body.append(script);
        """
    )
    browser.run("new Promise(resolve => setTimeout(resolve, 200))")

    assert browser.run("typeof hacked") == "undefined"
    assert len(browser.complaints) >= 3


def test_pages_are_complete_without_script(browser, render):
    """Every row is there, nothing waits for a script, closed parts open by themselves."""
    long = pd.DataFrame({"name": [f"row {i}" for i in range(12)], "n": range(12)})
    path = render([TITLE, shown(long)], with_code=True)
    browser.look()
    browser.open(path, script=False)

    assert first_cells(browser) == list(long["name"])
    assert browser.run("document.querySelectorAll('button, input').length") == 0
    tab_to(browser, "main details.code > summary")
    browser.press("Enter")
    assert browser.run("document.querySelector('.code').innerText.includes('secret_code()')")
    assert browser.complaints == []


def test_the_keyboard_skips_to_the_answer(browser, render):
    """The first stop is the link past the head of the page."""
    browser.look()
    browser.open(render([TITLE]))
    browser.press("Tab")
    assert browser.run("document.activeElement.innerText") == "Skip to the answer"
    browser.press("Enter")
    assert browser.run("document.activeElement.id") == "main"


def test_analysts_switch_all_code_on_and_off(browser, render):
    """One button opens every cell's code; stakeholders have neither."""
    path = render([TITLE, shown(pd.DataFrame({"a": [1]}))], with_code=True)
    browser.look()
    browser.open(path)
    code = "[...document.querySelectorAll('.code')].map(part => part.open)"

    tab_to(browser, "main button[aria-pressed]")
    browser.press("Enter")
    assert browser.run(code) == [True]
    browser.press("Enter")
    assert browser.run(code) == [False]


def test_print_opens_what_is_closed(browser, render):
    """Paper has no switches: all is printed, and closed again afterwards."""
    browser.look()
    browser.open(render("data_check"))
    browser.run(
        "addEventListener('beforeprint', () => { window.opened = "
        "document.querySelectorAll('details:not([open])').length; })"
    )
    browser.send("Page.printToPDF")

    assert browser.run("opened") == 0
    assert browser.run("document.querySelectorAll('details[open]').length") == 0
