"""Cohorts: who began together, and how many stay."""
