# The whole interface of this repository. Everything below sets itself up, and does so again only when the pinned
# packages or pyproject.toml have changed.

PYTHON ?= python3
JOBS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PIP_INSTALL := $(PY) -m pip install --disable-pip-version-check -q
PACKAGES := $(VENV)/.packages
READY := $(VENV)/.ready
LOCK := build/lock

unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help demo test check bench format lint types contracts lock clean moved

help: ## say what can be made (this)
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# -- what people run --

DEMO := KAPELLE_HOME="$(CURDIR)/.demo-home"

demo: $(READY) ## run the customers example, then show its run
	@$(DEMO) $(PY) examples/customers/pipeline.py
	@$(DEMO) $(BIN)/kapelle show @last
	@$(DEMO) $(BIN)/kapelle runs

test: lint types contracts ## everything: lint, types, contracts, all tests (ARGS="-k name" for pytest)
	$(PY) -m pytest -n $(JOBS) $(ARGS)

check: lint types contracts ## the one entrance while working: all of it but the slow tests
	$(PY) -m pytest -n $(JOBS) -m "not slow" $(ARGS)

bench: $(READY) ## measure against the budgets (ARGS="--help" for the choices)
	$(PY) -m benchmarks $(ARGS)

# -- the parts of a check --

lint: $(READY) ## format and lint, nothing is changed
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .

types: $(READY) ## mypy, strict
	$(BIN)/mypy

contracts: $(READY) ## which package may import which
	$(BIN)/lint-imports --no-logo

format: $(READY) ## format, and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# -- setting up --

# A virtual environment knows the folder it was made in: in a moved or copied checkout it is made anew.
ifneq ($(shell cat $(PACKAGES) 2>/dev/null),$(CURDIR))
$(PACKAGES): moved
endif

$(PACKAGES): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Kapelle needs Python 3.11 or newer, but '$(PYTHON) -V' says: $$($(PYTHON) -V 2>&1 | head -n 1)" >&2; \
	  echo "Name another one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@echo "$(CURDIR)" > $@

$(READY): $(PACKAGES) pyproject.toml
	@$(PIP_INSTALL) --no-index --no-deps --no-build-isolation -e .
	@$(PY) -m compileall -q src
	@touch $@

UV_COMPILE := $(LOCK)/bin/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url \
  --universal --python-version 3.11 --fork-strategy fewest

lock: ## pin the requirements anew (ARGS=--upgrade for newer versions); needs the network
	@$(PYTHON) -m venv --clear $(LOCK)
	@$(LOCK)/bin/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements/lock.txt
	$(UV_COMPILE) $(ARGS) pyproject.toml --output-file requirements/base.txt
	$(UV_COMPILE) $(ARGS) pyproject.toml requirements/dev.in --constraint requirements/base.txt \
	  --output-file requirements/dev.txt
	$(UV_COMPILE) $(ARGS) requirements/lock.in --output-file requirements/lock.txt

clean: ## remove everything that can be made again
	rm -rf $(VENV) build dist .demo-home .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
