"""Which experiences go with leaving."""
