"""Exports in, audited tables out."""
