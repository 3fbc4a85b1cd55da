"""Pages for readers, and the index that says what moved."""
