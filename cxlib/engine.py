"""The ``engine:`` of a workbook: a URL whose secrets stay in the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from cxlib.errors import InputError, closest

FILES = "duckdb"  # the default: an embedded engine on audited files
KINDS = {
    "duckdb": "duckdb",
    "postgres": "postgres",
    "postgresql": "postgres",
    "pyspark": "pyspark",
}
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SECRET = re.compile(r"pass(word|wd|phrase)|pwd|secret|token|account\.key", re.IGNORECASE)
_WRITTEN_OUT = re.compile(rf"({_SECRET.pattern})\s*=\s*(?!\$\{{)\S", re.IGNORECASE)
_POSTGRES = re.compile(
    r"(?:(?P<user>[^:@/?]*)(?::(?P<password>[^@/?]*))?@)?"
    r"(?:\[(?P<address>[^\]]*)\]|(?P<host>[^:/?@]*))(?::(?P<port>\d+|\$\{\w+\}))?"
    r"(?:/(?P<database>[^?@/]*))?"
)
# what reads like a file is a file, whether it is there or not; anything else is a table
_FILE = re.compile(
    r"[/\\*?\[]|\.(csv|tsv|tab|txt|gz|zip|parquet|pq|xlsx|xlsm|xls|json|z?sav|pdf)$", re.IGNORECASE
)


@dataclass(frozen=True)
class Engine:
    """An engine that holds tables, as ``cx.yml`` names it: variables are not filled in.

    Parameters
    ----------
    kind : {"duckdb", "postgres", "pyspark"}
        Which engine.
    parts : mapping of str to str
        ``path`` of a DuckDB file or of Spark's warehouse; ``user``, ``password``, ``host``,
        ``port`` and ``database`` of a PostgreSQL server.
    options : mapping of str to str
        What follows the ``?``: settings of the driver, or of Spark.
    """

    kind: str
    parts: Mapping[str, str] = field(repr=False)
    options: Mapping[str, str] = field(repr=False)

    def fill_in(self, where: str) -> Engine:
        """Replace every ``${VARIABLE}`` by its value.

        Parameters
        ----------
        where : str
            Place of the URL, for the message.

        Returns
        -------
        Engine
            Ready to connect; never to be shown.

        Raises
        ------
        InputError
            When a variable is not set.
        """
        unset = [name for name in self._variables() if not os.environ.get(name)]
        if unset:
            problem = f"The environment variable '{unset[0]}' is not set."
            raise InputError(problem, where, f"export {unset[0]}=... before cx is started")

        def fill(texts: Mapping[str, str]) -> dict[str, str]:
            """Fill in all values."""
            return {
                key: _VARIABLE.sub(lambda found: os.environ[found[1]], text)
                for key, text in texts.items()
            }

        return Engine(self.kind, fill(self.parts), fill(self.options))

    def hide(self, text: str) -> str:
        """Put the names of variables back in place of their values.

        Parameters
        ----------
        text : str
            What a driver said.

        Returns
        -------
        str
            One line of at most 300 characters that may be shown.
        """
        for name in self._variables():
            if value := os.environ.get(name):
                text = text.replace(value, f"${{{name}}}")
        return " ".join(text.split())[:300]

    def _variables(self) -> list[str]:
        texts = [*self.parts.values(), *self.options.values()]
        return list(dict.fromkeys(name for text in texts for name in _VARIABLE.findall(text)))


def parse_engine(text: str, where: str) -> Engine | None:
    """Read ``engine:``; nothing of what may be a secret is ever in a message.

    Parameters
    ----------
    text : str
        ``"duckdb"`` for files, or a URL.
    where : str
        Its place, for messages.

    Returns
    -------
    Engine or None
        None when all sources are files.

    Raises
    ------
    InputError
        When the engine is unknown, the URL cannot be read or holds a password.
    """
    if text == FILES:
        return None
    scheme, separator, rest = text.partition("://")
    fix = "use 'duckdb', duckdb://FILE, postgres://USER:${PGPASSWORD}@HOST/DATABASE or pyspark://"
    if not separator or scheme not in KINDS:
        said = f" '{scheme}'" if re.fullmatch(r"\w+", scheme) else ""
        hint = closest(scheme, KINDS) if said else ""
        fix = f"{hint} {fix}" if hint.startswith("did you") else fix
        raise InputError(f"The engine{said} is unknown.", where, fix)
    rest, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    parts = {"path": rest}
    if KINDS[scheme] == "postgres":
        found = _POSTGRES.fullmatch(rest)
        if not found:
            raise InputError("The URL of the engine cannot be read.", where, fix)
        parts = {key: value for key, value in found.groupdict().items() if value}
        if "address" in parts:  # IPv6 stands in brackets
            parts["host"] = parts.pop("address")
    for key, value in [*parts.items(), *options.items()]:
        is_secret = _SECRET.search(key) and not _VARIABLE.fullmatch(value)
        if is_secret or _WRITTEN_OUT.search(value):
            raise InputError(
                f"The engine's '{key}' is written out.",
                where,
                "write ${PGPASSWORD}, or the name of another environment variable, in its place",
            )
    return Engine(KINDS[scheme], parts, options)


def is_file(source: str) -> bool:
    """Tell a file from a table of the engine by how the source is written.

    Parameters
    ----------
    source : str
        ``source:`` of a table.

    Returns
    -------
    bool
        True when it holds a slash or a wildcard, or ends like a file; ``./events`` is a file,
        ``events`` and ``crm.events`` are tables.
    """
    return bool(_FILE.search(source))
