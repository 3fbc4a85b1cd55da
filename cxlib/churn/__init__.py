"""Churn study: how long customers stay and who leaves."""
