# Image Lens: `make demo` runs it, `make test` proves it.
# Both set up everything they need in .venv; all they ask for is Python 3.11 or newer.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
SAMPLE := .lens/sample-catalog

CDK := node_modules/.bin/cdk
# `make deploy ENV=prod` takes its settings from environments/prod.json. A variable ENV of the shell is
# another thing: what sh reads at its start.
ifeq ($(origin ENV),command line)
override CONTEXT := -c environment=$(ENV) $(CONTEXT)
endif
# What is asked before the tests; the longest first.
CHECKS := types lint formatting layering
# For make: several targets at once, each one's words together (which macOS's make cannot).
BESIDE = --no-print-directory --jobs=4 $(if $(filter output-sync,$(.FEATURES)),--output-sync)

# One more than there are cores: a fifth of the time a test waits for a server or a browser.
WORKERS = $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')

# Node, for CDK, is the environment's own.
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Tools that look at packages, apart from them.
SUPPLY := .supply/bin

.PHONY: help demo check test test-aws bench fuzz docs pins update sbom audit image-proof arm64-proof containers assets synth diff deploy smoke destroy chromium types lint formatting layering format clean

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
	@$(MAKE) $(BESIDE) $(CHECKS)
	@$(BIN)/pytest -n auto -m 'not slow and not aws'

test: .venv/dev.stamp ## lint, types, layering and every test
	@$(MAKE) $(BESIDE) $(CHECKS) .clients/stamp .fuzz/stamp node_modules chromium
	@$(BIN)/pytest -n $(WORKERS)

types:
	@$(BIN)/mypy

lint:
	@$(BIN)/ruff check

formatting:
	@$(BIN)/ruff format --check

layering:
	@PYTHONPATH=sagemaker_training $(BIN)/lint-imports --no-logo

bench: .venv/dev.stamp ## measure against the seed's design (QUICK=1: two minutes; PHOTOS=folder)
	@LENS_BENCH_PHOTOS="$(PHOTOS)" $(BIN)/python -m tests.benchmarks $(if $(QUICK),--quick)

fuzz: .venv/dev.stamp .fuzz/stamp ## send what nobody meant to what reads photos, artifacts and requests (COUNT=20000 SEED=0)
	@$(BIN)/python -m tests.fuzz photos artifacts --count $(or $(COUNT),20000) --seed $(or $(SEED),0)
	@$(BIN)/python -m tests.fuzz requests --count 400 --seed $(or $(SEED),0)

test-aws: .venv/dev.stamp .sagemaker/stamp node_modules ## deploy to an emulated AWS, use it, destroy it
	@PYTHON_AWS="$(PYTHON_AWS)" $(BIN)/pytest -m aws -n 2 -rs tests/aws

docs: .venv/dev.stamp ## write the generated parts of the documents
	@$(BIN)/python -m docs.generate

PIN = $(SUPPLY)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
  --custom-compile-command 'make pins' --constraint constraints.txt

pins: .supply/stamp ## write what users, layers and the image install, by its hashes, from constraints.txt
	@$(PIN) --extra serve --group build --output-file requirements.txt pyproject.toml
	@for each in gallery serving image; do \
	  $(PYTHON) -m layers.contents $$each | $(PIN) --output-file layers/pinned/$$each.txt - || exit 1; done

update: .supply/stamp .venv/dev.stamp node_modules ## raise all pins to the newest that work together, and prove them (an hour)
	@$(BIN)/python -m layers.newest $(SUPPLY)/uv npm
	@$(MAKE) pins
	@$(MAKE) test test-aws && $(MAKE) audit || { echo "Not all is proven. What was raised: git diff. To take it back: git checkout" \
	  "constraints.txt requirements.txt layers/pinned pyproject.toml package.json package-lock.json"; exit 1; }

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

arm64-proof: .venv/dev.stamp ## embed with the layers for arm64 under an emulated Graviton (Debian; five minutes)
	@$(BIN)/python -m tests.arm64.prove

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

# schemathesis wants other versions of what it shares with the rest.
.fuzz/stamp: tests/fuzz/requirements.txt | .venv/bin/python
	@$(BIN)/python -m venv .fuzz
	@.fuzz/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# CDK's CLI runs this before it reads the app: see cdk.json.
assets: .venv/cdk.stamp ## build what a deployment packs: layers, default model, training program
	@$(BIN)/python -m layers.build $(CONTEXT)
	@$(BIN)/python -m lambdas.setup.bundle build/model
	@PYTHONPATH=layers/lens/python $(BIN)/python sagemaker_training/bundle.py build/training/sourcedir.tar.gz

synth: assets node_modules ## write the CloudFormation template (ENV, CONTEXT as for deploy)
	@$(CDK) synth --quiet $(CONTEXT)

diff: assets node_modules ## compare the template with what is deployed (ENV, CONTEXT)
	@$(CDK) diff $(CONTEXT)

deploy: assets node_modules ## deploy to AWS (ENV=prod: environments/prod.json; CONTEXT="-c name=value")
	@$(BIN)/python -m cdk.preflight $(CONTEXT)
	@$(CDK) deploy --all $(CONTEXT)

smoke: .venv/cdk.stamp ## ask a deployed stack what a shopper asks: page, one search, health (ENV, CONTEXT)
	@$(BIN)/python -m cdk.smoke $(CONTEXT)

destroy: assets node_modules ## remove what was deployed; photos stay unless removal=destroy (ENV, CONTEXT)
	@$(CDK) destroy --all $(CONTEXT)

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
	rm -rf .venv .lens build cdk.out node_modules layers/vendor .emulator .sagemaker .clients .fuzz .supply .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

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
