# Every target does its own set-up: a virtual environment in .venv, filled from the hash-pinned locks.
PYTHON ?= python3
BIN := .venv/bin
PIP_FLAGS := --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test lint bench lock calibrate clean

help: ## show these targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .venv/run.stamp ## start the console on http://127.0.0.1:8501
	@$(BIN)/waywarden run

test: lint ## lint, types, import contracts, all tests
	@$(BIN)/python -m pytest

lint: .venv/dev.stamp ## format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

bench: .venv/dev.stamp ## print every figure beside what it is compared with
	@$(BIN)/python -m pytest tests/bench -m bench -s -q --no-header -p no:cacheprovider

calibrate: .venv/run.stamp ## refit the confidence curve on data/labelled.jsonl
	@$(BIN)/waywarden calibrate

lock: .venv/dev.stamp ## renew requirements.lock and requirements-dev.lock
	@$(BIN)/uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --upgrade --custom-compile-command "make lock" -q -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra build --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --upgrade -c requirements.lock --custom-compile-command "make lock" -q -o requirements-dev.lock

clean: ## remove the virtual environment and caches (never data/local)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-artifacts

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Waywarden needs Python 3.11 or newer: make run PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv

.venv/run.stamp: .venv/bin/python requirements.lock pyproject.toml
	@echo "Installing what requirements.lock pins (once) ..."
	@$(BIN)/python -m pip install $(PIP_FLAGS) --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install $(PIP_FLAGS) --no-deps --no-build-isolation --no-index -e .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements-dev.lock
	@echo "Installing what requirements-dev.lock pins (once) ..."
	@$(BIN)/python -m pip install $(PIP_FLAGS) --require-hashes -r requirements-dev.lock
	@touch $@
