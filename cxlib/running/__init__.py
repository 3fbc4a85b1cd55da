"""One run and its truth; when it is made again; many runs, side by side or on a cluster."""
