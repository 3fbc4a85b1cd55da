"""Scores managers know, who answered, and what the silent could change."""
