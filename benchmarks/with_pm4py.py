"""Make journey tables with pm4py, in an environment of its own: seconds and memory."""

import json
import resource
import sys
import time

import pandas as pd
import pm4py

started = time.perf_counter()
events = pd.read_parquet(sys.argv[1], columns=["customer_id", "timestamp", "touchpoint"])
events = events.sort_values(["customer_id", "timestamp"], kind="stable", ignore_index=True)
apart = events["timestamp"].diff() > pd.Timedelta("30D")
new = apart | (events["customer_id"] != events["customer_id"].shift())
events["journey"] = new.cumsum().astype(str)
log = pm4py.format_dataframe(
    events, case_id="journey", activity_key="touchpoint", timestamp_key="timestamp"
)
pm4py.discover_dfg(log)
pm4py.discover_performance_dfg(log)
pm4py.get_variants(log)
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
print(json.dumps({"seconds": seconds, "peak_mb": peak}))
