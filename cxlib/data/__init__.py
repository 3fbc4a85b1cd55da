"""Exports in, audited tables out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cxlib.data.audit import audit_workbook
    from cxlib.data.connect import Tables, open_workbook
    from cxlib.data.ledger import LedgerEntry, ledger_frame

__all__ = ["LedgerEntry", "Tables", "audit_workbook", "ledger_frame", "open_workbook"]

_HOMES = {
    "LedgerEntry": "ledger",
    "Tables": "connect",
    "audit_workbook": "audit",
    "ledger_frame": "ledger",
    "open_workbook": "connect",
}


def __getattr__(name: str) -> Any:
    # the engine takes a second to import; only who opens a workbook pays for it
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"cxlib.data.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'cxlib.data' has no attribute '{name}'")
