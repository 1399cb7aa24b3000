# Every target does its own set-up: a virtual environment in .venv, filled from the hash-pinned locks.
PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip --quiet --quiet --no-input --disable-pip-version-check install
UV_COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-annotate --upgrade --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help run test lint bench soak train lock clean
.DELETE_ON_ERROR:

help: ## show these targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .venv/run.stamp ## start the console on http://127.0.0.1:8501
	@exec $(BIN)/waywarden run

test: lint ## lint, types, import contracts, all tests
	@$(BIN)/python -m pytest

lint: .venv/dev.stamp ## format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: .venv/dev.stamp ## print every figure beside what it is compared with
	@$(BIN)/python -m pytest tests/bench -m bench -s -q --no-header -p no:cacheprovider

soak: .venv/dev.stamp ## kill a server under load 30 times, then load it for 10 minutes
	@$(BIN)/python -m pytest tests/soak -m soak -s -q --no-header -p no:cacheprovider

train: .venv/dev.stamp ## train the recommender's head and curves on data/training and the workflow files
	@$(BIN)/waywarden train

lock: .venv/dev.stamp ## renew requirements.lock and requirements-dev.lock
	@$(UV_COMPILE) --extra build -o requirements.lock
	@$(UV_COMPILE) --extra build --extra dev -c requirements.lock -o requirements-dev.lock

clean: ## remove the virtual environment and caches (never data/local)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-artifacts

# A half-made environment (no ensurepip, a full disk) is taken away again, so that the next try starts clean.
.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Waywarden needs Python 3.11 or newer; there is no $(PYTHON) here. Install it, or name another: make run PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Waywarden needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make run PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make virtual environments; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/run.stamp: .venv/bin/python requirements.lock pyproject.toml
	@echo "Installing what requirements.lock pins (once) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation --no-index -e .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements-dev.lock
	@echo "Installing what requirements-dev.lock pins (once) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
