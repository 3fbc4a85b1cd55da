"""Who is about to leave, and how far the forecast can be trusted."""
