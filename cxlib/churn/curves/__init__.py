"""Curves, means and tests of lifetimes, from counts."""
