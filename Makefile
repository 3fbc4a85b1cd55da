# Two commands are enough on a machine with Python 3.11 and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint lock samples notebooks clean

demo: $(STAMP)
	$(BIN)/cx demo --out out/demo

test: $(STAMP) lint
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.lint_docstrings

# Installed once; later runs need no network. The second install adds the project itself, nothing else.
$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	touch $(STAMP)

lock:  # needs uv
	uv pip compile pyproject.toml --extra test --extra dev --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --python-version 3.11 --universal --output-file requirements.lock

samples: $(STAMP)  # make data/samples anew from its seed
	$(BIN)/python data/samples/make_samples.py

notebooks: $(STAMP)  # execute the committed notebooks and normalise their outputs
	$(BIN)/python -m tests.execute_notebooks

clean:
	rm -rf $(VENV) out
