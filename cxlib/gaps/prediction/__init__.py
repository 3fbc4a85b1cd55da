"""Does the gap predict the outcome: perception and expectation apart, and their surface."""
