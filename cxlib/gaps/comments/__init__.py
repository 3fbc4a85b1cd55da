"""What customers write: masked, sorted into themes, set beside the score, quoted."""
