# Two commands are enough on a machine with Python 3.11 and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ENGINES := $(VENV)/.engines
COMPILE := uv pip compile pyproject.toml --generate-hashes --no-emit-index-url --no-annotate --no-header \
  --python-version 3.11 --universal

.PHONY: demo test lint lock samples notebooks clean

demo: $(STAMP)
	$(BIN)/cx demo --out out/demo

test: $(ENGINES) lint
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

# The drivers of other engines are large and only the tests need them.
$(ENGINES): $(STAMP) .ci/engines.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .ci/engines.lock
	touch $(ENGINES)

lock:  # needs uv; the second lock holds what engines and clusters need beside the first, the first
	# leaves out a browser driver that the package of axe-core asks for
	$(COMPILE) --extra test --extra dev $(addprefix --no-emit-package ,playwright greenlet pyee) \
	  --output-file requirements.lock
	$(COMPILE) --extra postgres --extra spark --extra dask --constraint requirements.lock \
	  $$(sed -n 's/^\([a-z0-9._-]*\)==.*/--no-emit-package \1/p' requirements.lock | sort -u) --output-file .ci/engines.lock

samples: $(STAMP)  # make data/samples anew from its seed
	$(BIN)/python data/samples/make_samples.py

notebooks: $(STAMP)  # execute the committed notebooks and normalise their outputs
	$(BIN)/python -m tests.execute_notebooks

clean:
	rm -rf $(VENV) out
