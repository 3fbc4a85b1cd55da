"""Whether the answers can be believed: careless answers are flagged, never dropped."""
