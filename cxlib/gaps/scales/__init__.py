"""Scales: whether items measure one thing, and the same thing in every group."""
