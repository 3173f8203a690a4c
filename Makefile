# The interpreter that makes the virtual environment: any Python from 3.11 on.
PYTHON ?= $(shell command -v python3.13 python3.12 python3.11 python3 | head -n 1)
BIN := .venv/bin

.PHONY: demo test check lint types contracts snapshots screenshots clean

demo: .venv/installed
	$(BIN)/kms-tui --demo

test: .venv/installed-dev
	$(BIN)/python -m pytest

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

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $@ .venv/installed

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache build dist
