"""Trends: which movements of a gap over time are more than chance."""
