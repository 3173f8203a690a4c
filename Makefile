# The interpreter that makes the virtual environment: the first that runs and is Python 3.11 or newer.
PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin

# pytest keeps what it makes of the tests, which takes 8 s of CPU in each process.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-fast check lint types contracts snapshots screenshots clean

demo: .venv/installed
	$(BIN)/kms-tui --demo

test: .venv/installed-dev
	$(BIN)/python -m pytest --slowest 20

# Everything but the console, moto and what takes much CPU or starts programs: for the inner loop.
test-fast: .venv/installed-dev
	$(BIN)/python -m pytest --ignore tests/ui -k "not moto" -m "not slow"

check: lint types contracts test

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-dev
	$(BIN)/mypy

contracts: .venv/installed-dev
	$(BIN)/lint-imports

snapshots: .venv/installed-dev
	$(BIN)/python -m pytest tests/ui --snapshot-update

screenshots: .venv/installed
	$(BIN)/python screenshots/make.py
	$(BIN)/python screenshots/record.py

.venv/bin/python:
	$(if $(PYTHON),,$(error kms-tui needs Python 3.11 or newer: none was found))
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $@ .venv/installed

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache build dist
