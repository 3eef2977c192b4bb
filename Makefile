# Two commands do everything on a fresh machine: `make labs` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3.11 python3.12 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11, 4) <= sys.version_info[:3] < (3, 13))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
# uv reads its own variable for a folder of wheels, pip's users have set pip's
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
PROFILE ?= laptop

.PHONY: help setup labs test test-matrix fuzz lab images images-check bench lint lock test-browser test-crash test-docker clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(VENV)/.ready  ## Create .venv with everything the labs and tests need

$(VENV)/.ready: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "setup needs Python 3.11.4 or newer, below 3.13 (set PYTHON=...)" >&2; exit 2; }
	@echo "Setting up $(VENV) with $(PYTHON)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' constraints.txt)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[notebook,local,tracking,tfod,dev,browser]'
	@touch $@

labs: setup  ## Run all labs on the embedded SageMaker and write build/report/index.html
	@$(BIN)/labs run --profile $(PROFILE)

test: setup  ## Run the tests, among them a smoke run of every lab
	@$(BIN)/pytest

test-matrix: setup  ## Run the contract suite with every SageMaker SDK, over HTTP and in-process
	@$(BIN)/python tests/matrix.py $(ARGS)

fuzz: setup  ## Send many random requests to the embedded SageMaker
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/pytest -q tests/contract/test_fuzz.py

test-browser: setup  ## Run Lab 01 in JupyterLab in a headless Chromium
	@$(BIN)/pytest -m browser tests/browser

test-crash: setup  ## Kill the embedded SageMaker at 30 random points and see what survives
	@$(BIN)/pytest -m crash tests/crash

test-docker: setup  ## Build the images with Docker and run their programs
	@$(BIN)/pytest -m docker tests/docker

lab: setup  ## Open JupyterLab on the labs
	@$(BIN)/jupyter lab --notebook-dir=labs

images: setup  ## Build the environments of all images
	@$(BIN)/labs images build

images-check: setup  ## Run TFOD's jobs and its own tests in the image's environment
	@$(BIN)/pytest -m images_check tests/unit/containers

bench: setup  ## Measure the figures the README quotes
	@$(BIN)/python -m bench

lint: setup  ## Check style, types and notebooks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

lock: setup  ## Pin the newest allowed versions in constraints.txt
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --no-annotate --no-header \
		pyproject.toml -o constraints.txt

clean:  ## Stop the embedded SageMaker; delete what was built and run (keeps .venv)
	@if [ -x $(BIN)/labs ]; then $(BIN)/labs down; fi
	@rm -rf build .labs
