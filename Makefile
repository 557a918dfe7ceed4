# Everything a person does in a checkout. `make demo` and `make test` set up what they need first.
#
#   PYTHON=...    interpreter to build .venv with (3.11 or 3.12; found by itself otherwise)
#   JOBS=N        processes that the tests are shared between (2)
#   REPLAYS=DIR   folder of .slp files for `make demo`
#   PIP_*         pip's own settings are honoured as they are

ifndef PYTHON
PYTHON := $(shell for p in python3 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
endif

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TORCH := 2.13
JOBS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

.PHONY: setup demo smoke test test-slow lint format clean
.DEFAULT_GOAL := setup

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "needs Python 3.11 or 3.12; name one with PYTHON=..." >&2; exit 2; }
	@test -x $(BIN)/python || { \
		$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' \
			|| { echo "$(PYTHON) is not Python 3.11 or 3.12; name one with PYTHON=..." >&2; exit 2; }; \
		if $(PYTHON) -c 'import torch, sys; sys.exit(not torch.__version__.startswith("$(TORCH)."))' 2>/dev/null; \
		then echo "using the torch that $(PYTHON) has"; $(PYTHON) -m venv --system-site-packages $(VENV); \
		else $(PYTHON) -m venv $(VENV); fi; }
	$(BIN)/python -m pip install -c constraints.txt -e ".[train,dev]"
	@touch $(READY)

demo: setup
	$(BIN)/exphil-league train demo $(if $(REPLAYS),--replays "$(REPLAYS)")

smoke: setup
	$(BIN)/exphil-league train smoke

test: setup
	$(PYTEST)

test-slow: setup
	$(PYTEST) -m slow

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
