# Image Lens: `make demo` runs it, `make test` proves it.
# Both set up everything they need in .venv; all they ask for is Python 3.11 or newer.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
SAMPLE := .lens/sample-catalog

CDK := node_modules/.bin/cdk
CHECKS := $(BIN)/ruff check && $(BIN)/ruff format --check && $(BIN)/mypy && PYTHONPATH=sagemaker_training $(BIN)/lint-imports --no-logo

# Node, for CDK, is the environment's own.
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Tools that look at packages, apart from them.
SUPPLY := .supply/bin

.PHONY: help demo check test test-aws bench docs pins sbom audit image-proof containers assets synth diff deploy destroy chromium format clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: .venv/serve.stamp ## search a catalog by photo in the browser (CATALOG=folder, LENS_PORT=8000)
ifdef CATALOG
	@$(BIN)/lens serve "$(CATALOG)"
else
	@$(BIN)/lens sample $(SAMPLE)
	@$(BIN)/lens serve $(SAMPLE)
endif

# Of the tests, `check` leaves out those marked `slow`; `test` runs them too.
check: .venv/dev.stamp ## lint, types, layering and the fast tests: about two minutes
	@$(CHECKS)
	@$(BIN)/pytest -n auto -m 'not slow and not aws'

test: .venv/dev.stamp .clients/stamp node_modules chromium ## lint, types, layering and every test
	@$(CHECKS)
	@$(BIN)/pytest -n auto

bench: .venv/dev.stamp ## measure against the seed's design (QUICK=1: two minutes; PHOTOS=folder)
	@LENS_BENCH_PHOTOS="$(PHOTOS)" $(BIN)/python -m tests.benchmarks $(if $(QUICK),--quick)

test-aws: .venv/dev.stamp .sagemaker/stamp node_modules ## deploy to an emulated AWS, use it, destroy it
	@PYTHON_AWS="$(PYTHON_AWS)" $(BIN)/pytest -m aws -rs tests/aws

docs: .venv/dev.stamp ## write the generated parts of the documents
	@$(BIN)/python -m docs.generate

pins: .supply/stamp ## write requirements.txt, what users install by its hashes, from constraints.txt
	@$(SUPPLY)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command 'make pins' --constraint constraints.txt --extra serve --output-file requirements.txt \
	  --group build pyproject.toml

sbom: .supply/stamp .venv/serve.stamp ## write build/sbom.cdx.json and build/licenses.md: what users install, and under which licenses
	@$(PYTHON) -m venv --clear build/installed
	@build/installed/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement requirements.txt
	@$(SUPPLY)/cyclonedx-py environment build/installed --output-format JSON --output-file build/sbom.cdx.json
	@$(BIN)/python -m docs.supply licenses build/sbom.cdx.json > build/licenses.md
	@echo "build/sbom.cdx.json and build/licenses.md are written."

audit: .supply/stamp .venv/serve.stamp ## look the pinned versions up among known vulnerabilities
	@$(SUPPLY)/pip-audit --progress-spinner off --disable-pip --require-hashes --requirement requirements.txt \
	  --format json --output build/audit.json 2>build/audit.log || true
	@$(BIN)/python -m docs.supply audit build/audit.json

image-proof: .venv/dev.stamp ## build and run the image without Docker (root, Debian; two minutes)
	@command -v buildah debootstrap >/dev/null || apt-get install -y -qq --no-install-recommends buildah debootstrap
	@$(BIN)/python -m tests.image.prove

containers: .sagemaker/stamp ## look AWS's training containers up again, through the SageMaker SDK
	@.sagemaker/bin/python cdk/containers.py

# The SDK wants older libraries than the rest (cdk/containers.py).
.sagemaker/stamp: | .venv/bin/python
	@$(BIN)/python -m venv .sagemaker
	@.sagemaker/bin/python -m pip install --quiet --disable-pip-version-check 'sagemaker-core>=2.27,<3'
	@touch $@

.supply/stamp:
	@mkdir -p build
	@$(PYTHON) -m venv .supply
	@.supply/bin/python -m pip install --quiet --disable-pip-version-check 'cyclonedx-bom>=7,<8' 'pip-audit>=2,<3' 'uv>=0.9'
	@touch $@

# The generator of Python clients wants an older typer than the rest.
.clients/stamp: tests/clients/requirements.txt | .venv/bin/python
	@$(BIN)/python -m venv .clients
	@.clients/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# CDK's CLI runs this before it reads the app: see cdk.json.
assets: .venv/cdk.stamp ## build what a deployment packs: layers, default model, training program
	@$(BIN)/python -m layers.build $(CONTEXT)
	@$(BIN)/python -m lambdas.setup.bundle build/model
	@PYTHONPATH=layers/lens/python $(BIN)/python sagemaker_training/bundle.py build/training/sourcedir.tar.gz

synth: assets node_modules ## write the CloudFormation template (CONTEXT="-c name=value")
	@$(CDK) synth --quiet $(CONTEXT)

diff: assets node_modules ## compare the template with what is deployed
	@$(CDK) diff $(CONTEXT)

deploy: assets node_modules ## deploy to AWS (CONTEXT="-c name=value"; settings in cdk.json)
	@$(BIN)/python -m cdk.preflight $(CONTEXT)
	@$(CDK) deploy $(CONTEXT)

destroy: assets node_modules ## remove what was deployed; photos stay unless removal=destroy
	@$(CDK) destroy $(CONTEXT)

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
	rm -rf .venv .lens build cdk.out node_modules layers/vendor .emulator .sagemaker .clients .supply .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

node_modules: package.json package-lock.json | .venv/cdk.stamp
	@npm ci --silent --no-audit --no-fund
	@touch $@

EXTRAS_serve := serve
EXTRAS_cdk := serve,cdk
EXTRAS_dev := serve,cdk,train,dev

.venv/serve.stamp .venv/cdk.stamp .venv/dev.stamp: .venv/%.stamp: pyproject.toml constraints.txt requirements.txt | .venv/bin/python
	@echo "Installing ($*; once, a minute or two) ..."
	@$(PIP) --require-hashes --no-deps --requirement requirements.txt
	@$(PIP) --no-build-isolation --no-deps --editable .
	@$(if $(filter serve,$*),,$(PIP) --no-build-isolation --constraint constraints.txt --editable '.[$(EXTRAS_$*)]')
	@touch .venv/serve.stamp $(if $(filter dev,$*),.venv/cdk.stamp) $@

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Image Lens needs Python 3.11 or newer: install it, or name it: make demo PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv .venv
