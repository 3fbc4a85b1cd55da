"""Pictures of a notebook as figures of a page: inert, described, and light."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

_SAFE = " !$'()*+,-./:;=?@_~"  # may stand in a data URL within double quotes
_NUMBER = re.compile(r"-?\d+\.\d+")
_GEOMETRY = re.compile(r' (d|transform|x|y|width|height)="([^"]*)"')
_REFERENCE = re.compile(r'((?:href="|url\()#)([^")]+)')


def render_figure(content: str, mime: str, about: Mapping[str, Any]) -> str:
    """Render a picture as an image: nothing inside it can run, and its ids meet no others.

    Parameters
    ----------
    content : str
        SVG text, or PNG in base64.
    mime : str
        ``"image/svg+xml"`` or ``"image/png"``.
    about : mapping
        The author's ``title`` and ``alt``.

    Returns
    -------
    str
        A ``<figure>``. A picture without the author's words says that there are none.
    """
    if mime == "image/svg+xml":
        svg = shrink_svg(content)
        svg = svg if "'" in svg else svg.replace('"', "'")
        source = f"data:{mime},{quote(svg, safe=_SAFE)}"  # a fifth lighter than base64
    else:
        source = f"data:{mime};base64,{re.sub(r'[^A-Za-z0-9+/=]', '', content)}"
    title = about.get("title", "")
    alt = about.get("alt") or title or "A figure that its author has not described."
    caption = f"<figcaption>{html.escape(title)}</figcaption>" if title else ""
    return f'<figure>{caption}<img alt="{html.escape(alt)}" src="{source}"></figure>'


def shrink_svg(svg: str) -> str:
    """Write a figure of matplotlib in about half the letters, alike to a hundredth of a point.

    Parameters
    ----------
    svg : str
        An ``<svg>`` element.

    Returns
    -------
    str
        The same picture; SVG that matplotlib did not write is returned as it is.

    Notes
    -----
    Most of the weight is coordinates with six decimals, a command letter before each point, ids
    of thirty letters, and a transform for every letter of text.
    """
    if 'id="figure_' not in svg:
        return svg
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = _GEOMETRY.sub(_shorten, svg)
    svg = re.sub(r'(<use [^>]*?)transform="translate\((\S+) 0\)"', r'\1x="\2"', svg)
    svg = re.sub(r">\s+<", "><", svg)
    used = dict.fromkeys(reference[2] for reference in _REFERENCE.finditer(svg))
    names = {name: f"_{i}" for i, name in enumerate(used)}
    svg = re.sub(r' id="([^"]*)"', lambda m: f' id="{names[m[1]]}"' if m[1] in names else "", svg)
    svg = _REFERENCE.sub(lambda m: m[1] + names[m[2]], svg)
    return svg.replace("xlink:href", "href")


def _shorten(attribute: re.Match[str]) -> str:
    name, value = attribute.groups()
    value = " ".join(_NUMBER.sub(_round, value).split())
    return f' {name}="{_join_path(value) if name == "d" else value}"'


def _round(number: re.Match[str]) -> str:
    value = float(number[0])
    text = f"{value:.2f}" if abs(value) >= 1 else f"{value:.6f}"  # small ones are scales
    text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _join_path(path: str) -> str:
    """Leave out the letter of a command that repeats; a line after a move is understood."""
    parts, last = [], ""
    for command, numbers in re.findall(r"([A-DF-Za-df-z])([^A-DF-Za-df-z]*)", path):
        implied = (command == last and command in "LCQ") or (last == "M" and command == "L")
        parts.append((" " if implied else command) + numbers.strip())
        last = command
    return "".join(parts)
