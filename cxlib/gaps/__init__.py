"""Gap study: where perception falls short of expectation."""
