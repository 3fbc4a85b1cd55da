"""Customer-experience analysis: journeys, churn and expectation gaps, from raw exports to pages."""

__version__ = "0.1.0"
