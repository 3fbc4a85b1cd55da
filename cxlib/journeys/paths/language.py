"""The language of patterns of steps, and the automaton that looks for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import getitem

import numpy as np
from numpy.typing import NDArray

from cxlib.errors import InputError, closest
from cxlib.journeys.log import Places
from cxlib.journeys.walks import letter

_TOKEN = re.compile(
    r"""\s*(?:(?P<name>"[^"]+"|'[^']+'|[^\s>\[\]|!^$*+?."'()]+)"""
    r"""|(?P<mark>\((?:start|end)\)|\.\.\.|[>\[\]|!^$*+?.]))\s*"""
)
_STARTS, _ENDS = ("^", "(start)"), ("$", "(end)")
_STATES = 10_000  # kept at once; a pattern that needs more starts again with none


@dataclass(frozen=True)
class Pattern:
    """A pattern of steps, ready to be looked for.

    Parameters
    ----------
    accepts : dict of str to int
        For each letter, one bit per element of the pattern that takes it.
    repeats, skips : int
        Bits of the elements that may come more than once, and not at all.
    size : int
        Number of elements.
    at_start, at_end : bool
        Whether the path must begin, and end, with it.
    """

    accepts: dict[str, int]
    repeats: int
    skips: int
    size: int
    at_start: bool
    at_end: bool


def compile_pattern(pattern: str, places: Places) -> Pattern:
    """Read a pattern of steps.

    Parameters
    ----------
    pattern : str
        Steps joined by ``>``, see Notes.
    places : Places
        The names that steps may have, :attr:`cxlib.journeys.Walks.places`.

    Returns
    -------
    Pattern
        For :func:`match_walks`.

    Raises
    ------
    InputError
        When the pattern breaks the rules below, or names a place that does not occur; the message
        shows where.

    Notes
    -----
    ======================= ======================================================
    ``cart``                one step there
    ``[cart|basket]``       one step at one of them
    ``!cart, [^cart|wish]`` one step anywhere else
    ``.``                   one step anywhere
    ``*  +  ?``             after a step: any number of it, one or more, none or one
    ``...``                 any number of any steps, short for ``.*``
    ``^  (start)``          before the first step: the journey begins here
    ``$  (end)``            after the last step: the journey ends here
    ``"live chat"``         names with blanks or special characters, in quotes
    ======================= ======================================================

    ``>`` means directly followed by; without ``^`` and ``$`` the pattern may lie anywhere.

    The pattern becomes an automaton that reads every step once. Regular expressions of the language
    try one beginning after the other, which for a journey of a million steps never ends.

    Examples
    --------
    >>> places = Places("touchpoint", ["cart", "purchase", "refund"], np.arange(3))
    >>> compile_pattern("cart > !refund* > purchase", places).size
    3
    """
    tokens = _scan(pattern)
    at_start = tokens[0][1] in _STARTS
    at_end = tokens[-1][1] in _ENDS
    inner = tokens[at_start : len(tokens) - at_end]
    # '>' between an anchor and a step may be there or not
    inner = inner[at_start and inner[:1] != [] and inner[0][1] == ">" :]
    inner = inner[: len(inner) - (at_end and inner[-1:] != [] and inner[-1][1] == ">")]
    elements = _Reader(pattern, inner, places).read_steps()
    accepts = dict.fromkeys(map(letter, range(len(places.names))), 0)
    for i, (taken, _) in enumerate(elements):
        for code in taken:
            accepts[letter(code)] |= 1 << i
    repeats, skips = (
        sum(1 << i for i, (_, mark) in enumerate(elements) if mark and mark in marks)
        for marks in ("*+", "*?")
    )
    return Pattern(accepts, repeats, skips, len(elements), at_start, at_end)


def _refuse(pattern: str, at: int, problem: str, fix: str) -> InputError:
    """Show where a pattern goes wrong."""
    where = f"parameter 'pattern', character {at + 1}\n    {pattern}\n    {' ' * at}^"
    return InputError(problem, where, fix)


def _scan(pattern: str) -> list[tuple[int, str, bool]]:
    """Split a pattern into marks and names, each with its position."""
    if not pattern.strip():
        raise InputError("The pattern is empty.", "parameter 'pattern'", "write such as 'a > b'")
    tokens, at = [], 0
    while at < len(pattern):
        match = _TOKEN.match(pattern, at)
        if not match:
            problem = f"The pattern cannot be read from {pattern[at:].strip()[:20]!r} on."
            fix = "put names with special characters in quotes, and close every quote"
            raise _refuse(pattern, at, problem, fix)
        kind = "name" if match["name"] else "mark"
        tokens.append((match.start(kind), match[kind], kind == "name"))
        at = match.end()
    return tokens


class _Reader:
    """Reads the steps of a pattern from its tokens, one after the other."""

    def __init__(self, pattern: str, tokens: list[tuple[int, str, bool]], places: Places) -> None:
        self.pattern, self.tokens, self.at = pattern, tokens, 0
        self.codes = {name: code for code, name in enumerate(places.names)}

    def take(self, *marks: str) -> str:
        """Take the next token when it is one of these marks."""
        if self.at < len(self.tokens):
            _, text, is_name = self.tokens[self.at]
            if not is_name and text in marks:
                self.at += 1
                return text
        return ""

    def refuse(self, expected: str) -> InputError:
        """Say what should have come next."""
        ended = self.at == len(self.tokens)
        at = len(self.pattern) if ended else self.tokens[self.at][0]
        found = "The pattern ends" if ended else f"There is '{self.tokens[self.at][1]}'"
        fix = "join steps by '>', as in \"cart > !refund* > purchase\"; quote names with blanks"
        return _refuse(self.pattern, at, f"{found} where {expected} is expected.", fix)

    def read_name(self) -> int:
        """Read the name of a place."""
        if self.at == len(self.tokens) or not self.tokens[self.at][2]:
            raise self.refuse("a name")
        at, text, _ = self.tokens[self.at]
        name = text.strip("\"'")
        if name not in self.codes:
            raise _refuse(self.pattern, at, f"No step is at '{name}'.", closest(name, self.codes))
        self.at += 1
        return self.codes[name]

    def read_step(self) -> tuple[set[int], str]:
        """Read a step: the places it may be at, and how often."""
        every = set(range(len(self.codes)))
        if self.take("..."):
            return every, "*"
        if self.take("."):
            taken = every
        else:
            other = bool(self.take("!"))
            if self.take("["):
                other ^= bool(self.take("^"))
                taken = {self.read_name()}
                while self.take("|"):
                    taken.add(self.read_name())
                if not self.take("]"):
                    raise self.refuse("'|' or ']'")
            else:
                taken = {self.read_name()}
            taken = every - taken if other else taken
        return taken, self.take("*", "+", "?")

    def read_steps(self) -> list[tuple[set[int], str]]:
        """Read steps up to the end."""
        steps = [self.read_step()]
        while self.at < len(self.tokens):
            if not self.take(">"):
                raise self.refuse("'>'")
            steps.append(self.read_step())
        return steps


class _State(dict):
    """The elements of a pattern that may come next; finds the state after a letter when asked."""

    def __init__(self, bits: int, states: dict[int, _State], pattern: Pattern) -> None:
        super().__init__()
        self.bits, self.states, self.pattern = bits, states, pattern

    def __missing__(self, letter: str) -> _State:
        pattern, goal = self.pattern, 1 << self.pattern.size
        moved = self.bits & pattern.accepts[letter]
        bits = moved << 1 | moved & pattern.repeats
        if not pattern.at_start:
            bits |= 1
        bits = _skip(bits, pattern)
        if self.bits & goal and not pattern.at_end:
            bits = goal  # found: what follows does not matter
        if bits not in self.states:
            if len(self.states) >= _STATES:
                for state in self.states.values():
                    state.clear()
                self.states.clear()
            self.states[bits] = _State(bits, self.states, pattern)
        self[letter] = self.states[bits]
        return self[letter]


def _skip(bits: int, pattern: Pattern) -> int:
    """Add what may come next when elements that need not come are passed over."""
    while (wider := bits | (bits & pattern.skips) << 1) != bits:
        bits = wider
    return bits


def find_pattern(pattern: Pattern, paths: Iterable[str]) -> NDArray[np.bool_]:
    """Tell which paths hold a pattern.

    Parameters
    ----------
    pattern : Pattern
        From :func:`compile_pattern`.
    paths : iterable of str
        One letter a step.

    Returns
    -------
    numpy.ndarray of bool, one per path
        Found or not, in a time proportional to the steps.
    """
    start = _State(_skip(1, pattern), {}, pattern)
    goal = 1 << pattern.size
    return np.array([bool(reduce(getitem, path, start).bits & goal) for path in paths], dtype=bool)
