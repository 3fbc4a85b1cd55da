"""What every page shares: its style, its script, and a policy that lets nothing else run."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, *, extra: str = "", **values: Any) -> str:
    """Render a page that asks no other host for anything and runs no script but its own.

    Parameters
    ----------
    template : str
        File name of a template. Beside the values it is given ``style`` and ``script``, the
        content of its only ``<style>`` and ``<script>``, and ``policy``, the content security
        policy that names the hashes of the two.
    extra : str, default ""
        Name of a style and a script that are added to those of every page.
    **values : object
        What the template shows; text is escaped.

    Returns
    -------
    str
        A whole HTML document.
    """
    return _environment().get_template(template).render(**_shared(extra), **values)


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@functools.cache
def _shared(extra: str) -> dict[str, Markup]:
    style, script = _read("base.css"), _read("page.js")
    if extra:
        style, script = style + _read(f"{extra}.css"), script + _read(f"{extra}.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    return {"style": Markup(style), "script": Markup(script), "policy": Markup(policy)}


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
