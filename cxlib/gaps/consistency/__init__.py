"""Consistency: how far perception depends on where, with whom and when."""
