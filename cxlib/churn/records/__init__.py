"""From raw records to lifetimes."""
