# Needs only make and Python >= 3.11; everything else is fetched into this folder or the user's cache.
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
SOURCES := libs services tests tools deploy
export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON := $(PYTHON)
RUN := $(UV) run --frozen --no-sync

.DEFAULT_GOAL := help
.PHONY: help run test lint format bench sync schemas

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

run: sync  ## Start everything, send sample messages, show their tickets; ARGS="--port-base 9000 --no-demo"
	@$(RUN) firebreak up $(ARGS)

# Where all dies under load, one stack takes two cores; of the other stacks under faults they carry two. The other tests wait
# much of their time, so there a third worker helps.
KILLS := tests/faults/test_random_kills.py
PYTEST := $(RUN) pytest --dist loadfile --no-loadscope-reorder --numprocesses
test: sync  ## Run all tests against real Kafka and Postgres; ARGS="tests/unit -k calendar" narrows
ifdef ARGS
	$(PYTEST) 2 $(ARGS)
else
	$(RUN) pytest $(KILLS)
	$(PYTEST) 2 tests/faults --ignore $(KILLS)
	$(PYTEST) 3 tests --ignore tests/faults
endif

lint: sync  ## Check style, types, imports between members, sizes and generated documents
	$(RUN) ruff check $(SOURCES)
	$(RUN) ruff format --check $(SOURCES)
	$(RUN) mypy libs/*/src services/*/src tests tools deploy
	$(RUN) lint-imports
	$(RUN) python -m tools.check_sizes
	$(RUN) python -m ticket_contracts.generate

format: sync  ## Rewrite the code in the project's format
	$(RUN) ruff check --fix $(SOURCES)
	$(RUN) ruff format $(SOURCES)

bench: sync  ## Measure ours beside the machine's limits; ARGS=--json prints one JSON object last
	$(RUN) python -m tests.load $(ARGS)

schemas: sync  ## Write docs/schemas, docs/asyncapi.yaml and docs/openapi.json anew from the models
	$(RUN) python -m ticket_contracts.generate --write
	$(RUN) python -m crm_api.generate --write

# Compiled once here, or each of the stack's processes compiles all that it imports where bytecode is not written.
sync: $(UV)  # Install exactly what uv.lock pins
	@$(UV) sync --frozen --compile-bytecode
	-@$(RUN) python -m compileall -q libs services

.tools/bin/uv:
	@echo "uv is missing: installing $(UV_VERSION) into .tools"
	@$(PYTHON) -m venv .tools || { echo "This Python has no venv: install it (Debian: python3-venv), or install uv."; exit 1; }
	@.tools/bin/pip install --quiet uv==$(UV_VERSION)

/%/uv:  # an installed uv needs nothing
	@:
