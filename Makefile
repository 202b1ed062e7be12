# Image Lens: `make demo` runs it, `make test` proves it.
# Both set up everything they need in .venv; all they ask for is Python 3.11 or newer.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
SAMPLE := .lens/sample-catalog

.PHONY: help demo test chromium format clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: .venv/serve.stamp ## search a catalog by photo in the browser (CATALOG=folder, LENS_PORT=8000)
ifdef CATALOG
	@$(BIN)/lens serve "$(CATALOG)"
else
	@$(BIN)/lens sample $(SAMPLE)
	@$(BIN)/lens serve $(SAMPLE)
endif

test: .venv/dev.stamp chromium ## lint, types, layering and every test
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest -n 2

# The tests of the page drive a real browser; Debian's is installed where that is possible.
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Debian's chromium for the tests of the page ..."; \
	  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null || \
	  echo "Chromium cannot be installed; without one the tests of the page are skipped."; \
	else \
	  echo "No Chromium here: the tests of the page need one (apt-get install chromium)."; \
	fi

format: .venv/dev.stamp ## format the code
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

clean: ## remove everything that was made here: environment, galleries, caches
	rm -rf .venv .lens .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/serve.stamp .venv/dev.stamp: .venv/%.stamp: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing ($*; once, a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[$(if $(filter dev,$*),serve$(comma)cdk$(comma)dev,$*)]'
	@touch $@

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Image Lens needs Python 3.11 or newer: install it, or name it: make demo PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv .venv

comma := ,
