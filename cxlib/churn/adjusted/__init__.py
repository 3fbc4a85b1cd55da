"""Groups compared as if they had the same customers: curves, days and money."""
