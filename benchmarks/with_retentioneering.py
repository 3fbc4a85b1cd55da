"""Make journey tables with retentioneering 5, in an environment of its own: seconds and memory."""

import json
import resource
import sys
import time

import pandas as pd
from retentioneering.eventstream import Eventstream

STAGES = ["touchpoint_03", "touchpoint_07", "touchpoint_11"]

started = time.perf_counter()
events = pd.read_parquet(sys.argv[1], columns=["customer_id", "timestamp", "touchpoint"])
schema = {"path_cols": ["customer_id"], "event_col": "touchpoint", "timestamp_col": "timestamp"}
stream = Eventstream(events, schema=schema)
stream = stream.split_sessions(timeout="30d")
for weight in ("count", "unique_paths", "proba_out", "time_median", "time_q95"):
    stream.transition_graph_data(edge_weight=weight, path_col="session_id")
stream.step_matrix_data(max_steps=8, path_col="session_id")
stream.funnel_data(steps=STAGES, path_col="session_id")
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
print(json.dumps({"seconds": seconds, "peak_mb": peak}))
