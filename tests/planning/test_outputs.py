"""Tests of what earlier batches have left: one to compare with, and files that are not theirs."""

from __future__ import annotations

import json

import pytest

from cxlib.errors import InputError
from cxlib.folders import lock_folder
from cxlib.planning.outputs import check_outputs, read_batch

FIGURE = {
    "id": "a",
    "label": "A",
    "unit": "share",
    "value": 0.5,
    "n": 10,
    "conf_low": None,
    "conf_high": 0.6,
}
RUN = {"notebook": "n", "parameters": {}, "status": "ok", "key_figures": [FIGURE]}
BATCH = {"title": "T", "runs": [RUN]}


def write(folder, content):
    """Write what a batch might have left."""
    folder.mkdir(exist_ok=True)
    (folder / "batch.json").write_text(content if isinstance(content, str) else json.dumps(content))


def test_a_batch_is_read_as_it_was_written(tmp_path):
    """Runs without figures, and keys that are not asked for, are no hindrance."""
    for batch in (BATCH, {"title": "", "runs": []}, {**BATCH, "more": 1}):
        write(tmp_path, batch)
        assert read_batch(tmp_path) == batch


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No batch has ended"),
        ("{", "cannot be read"),
        ('"\\ud800', "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ([], "is no record"),
        ({}, "is no record"),
        ({"runs": []}, "is no record"),
        ({"title": 1, "runs": []}, "is no record"),
        ({"title": "x", "runs": {}}, "is no record"),
        ({"title": "x", "runs": [{}]}, "is no record"),
        ({"title": "x", "runs": ["n"]}, "is no record"),
        *(
            ({"title": "x", "runs": [RUN, {**RUN, name: None}]}, f"run 2 has no sound '{name}'")
            for name in RUN
        ),
        ({"title": "x", "runs": [{**RUN, "key_figures": [{}]}]}, "run 1 has no sound 'key_figures"),
        ({"title": "x", "runs": [{**RUN, "key_figures": ["a"]}]}, "run 1 has no sound"),
        *(
            ({"title": "x", "runs": [{**RUN, "key_figures": [{**FIGURE, name: []}]}]}, "run 1 has")
            for name in FIGURE
        ),
    ],
)
def test_another_file_of_that_name_is_told_apart(tmp_path, content, said):
    """What is compared must be there before hours of runs are spent."""
    if content is not None:
        write(tmp_path, content)
    with pytest.raises(InputError, match=f"{said}[\\s\\S]*--out of an earlier batch"):
        read_batch(tmp_path)


@pytest.mark.parametrize("name", ["share", "index.html", "mail.html", "summary.json", "batch.json"])
def test_files_that_no_batch_has_made_are_not_overwritten(tmp_path, name):
    """Each of what a batch writes; the message names it."""
    (tmp_path / name).mkdir() if name == "share" else (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match=rf"'{name}'[\s\S]*choose another --out"):
        check_outputs(tmp_path)


def test_a_folder_of_batches_is_used_again(tmp_path):
    """Empty, not there yet, after a batch that ended, and after one that was interrupted."""
    check_outputs(tmp_path)
    check_outputs(tmp_path / "new")
    (tmp_path / "index.html").touch()
    write(tmp_path, BATCH)
    check_outputs(tmp_path)
    (tmp_path / "batch.json").unlink()
    with pytest.raises(InputError, match=r"'index\.html'"):
        check_outputs(tmp_path)
    with lock_folder(tmp_path):
        pass
    check_outputs(tmp_path)
