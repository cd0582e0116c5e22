# Each target sets itself up: own .venv, locked Python packages, and for tests the Debian packages they need.
#   make demo    three sites hold a dialogue; ARGS=--json, ARGS=--keep
#   make test    the whole suite, whole processes last; ARGS="tests/signaling -x" for a part
#   make check   lint, types, architecture, sizes
#   make bench   measured figures       make faults  break cables, processes, disks; ARGS="cut_10s loss_10", ARGS=--full
#   make fuzz    the interface against many made-up requests, minutes
#   make kills   a thousand operations on a hub that is killed again and again
#   make postgresql  the hub's own tests once more, with PostgreSQL under them; ARGS="-k feed" for a part
#   make clean   remove what was built

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

unexport PYTHONDONTWRITEBYTECODE  # the same hub starts a hundred times in the tests: its sources are compiled once

.PHONY: demo test check bench faults fuzz kills postgresql clean help

help:
	@sed -n '2,9s/^# \{0,3\}//p' Makefile

demo: $(VENV)/.run
	@$(BIN)/shimawa demo $(ARGS)

test: $(VENV)/.dev build/.system
ifeq ($(strip $(ARGS)),)
	$(BIN)/python -m pytest -q -n 3 --dist loadscope --no-loadscope-reorder -m "not e2e"
	$(BIN)/python -m pytest -q -n 3 --dist worksteal -m e2e
else
	$(BIN)/python -m pytest $(ARGS)
endif

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py tests/test_sizes.py tests/test_repository.py

bench: $(VENV)/.dev build/.system
	$(BIN)/python -m tools.bench $(ARGS)

faults: $(VENV)/.dev build/.system
	$(BIN)/python -m tests.faults $(ARGS)

fuzz: $(VENV)/.dev
	SHIMAWA_FUZZ=100 $(BIN)/python -m pytest tests/session_manager/test_api_fuzz.py $(ARGS)

kills: $(VENV)/.dev
	SHIMAWA_KILLS=1000 $(BIN)/python -m pytest -s tests/session_manager/test_random_kills.py $(ARGS)

postgresql: $(VENV)/.dev build/.system
	SHIMAWA_TEST_STORE=postgresql $(BIN)/python -m pytest -q -n 2 --dist loadscope --timeout 600 tests/session_manager $(ARGS)

clean:
	rm -rf build $(VENV)

$(VENV)/.run: pyproject.toml requirements.lock
	@$(PYTHON) tools/make_venv.py $(VENV) board hub
	@touch $@

$(VENV)/.dev: pyproject.toml requirements.lock
	@$(PYTHON) tools/make_venv.py $(VENV) board hub dev
	@touch $@ $(VENV)/.run

build/.system: tools/system_packages.sh
	@sh tools/system_packages.sh
	@mkdir -p build && touch $@
