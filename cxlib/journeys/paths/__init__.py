"""Whole journeys: which are common, which convert, where they turn back."""
