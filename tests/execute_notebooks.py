"""Execute the committed notebooks on the samples and keep normalised outputs.

Nothing of the machine, the clock or the runner stays in them, so two executions differ only where
results do.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat

from cxlib.planning.plans import plan_run
from cxlib.running.runs import execute_run

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def normalise(executed: nbformat.NotebookNode, source: nbformat.NotebookNode):
    """Return the source with the outputs of an execution."""
    kept = [c for c in executed.cells if "injected-parameters" not in c.metadata.get("tags", [])]
    assert [c.id for c in kept] == [c.id for c in source.cells]
    count = 0
    for cell, done in zip(source.cells, kept, strict=True):
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        cell.outputs = [o for o in done.outputs if o.output_type != "stream"]
        for output in cell.outputs:
            if "execution_count" in output:
                output["execution_count"] = count
    source.metadata = {
        "cx": source.metadata.get("cx", {"tables": []}),
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return source


def main(names: list[str]) -> int:
    """Execute the notebooks named, or all."""
    paths = [NOTEBOOKS / f"{n}.ipynb" for n in names] or sorted(NOTEBOOKS.glob("*.ipynb"))
    for path in paths:
        with tempfile.TemporaryDirectory() as folder:
            plan = plan_run(str(path), workbook="samples", given={}, out=Path(folder))
            run = execute_run(plan)
            print(f"{run['status']:<17} {run['seconds']:>6.1f} s  {path.name}")
            if run["error"] is not None:
                print(run["error"])
                return 1
            executed = nbformat.read(plan.folder / "notebook.ipynb", as_version=4)
        source = nbformat.read(path, as_version=4)
        nbformat.write(normalise(executed, source), path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
