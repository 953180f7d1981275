# Exchange Desk. `make run` starts it, `make test` checks it; both install what they need.

PYTHON ?= python3
BIN    := .venv/bin
PY     := $(BIN)/python

# The tests start many processes: what Python compiled is kept, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test test-fast lint style fmt types bench bench-spacing soak messages screenshots
help:
	@echo "make run    start the desk (simulator, web, worker)"
	@echo "make test   lint, types and all tests, on SQLite and on PostgreSQL"
	@echo "make test-fast  lint, and the tests that need no database, browser or process"
	@echo "make lint   ruff, bandit, pip-audit, migrations   make fmt    let ruff rewrite"
	@echo "make types  mypy                            make bench  benchmarks"
	@echo "make messages     gather the texts and compile the Spanish catalogue"
	@echo "make screenshots  take the pictures of docs/ again (needs Chromium)"
	@echo "make soak   every test with all its values on each database; random histories and kills, STEPS and PROTECTION steps"

run: .venv/.installed
	@$(PY) manage.py run_desk

test: lint types
	$(BIN)/pytest -n 2 --dist loadgroup -q
	$(PY) -m tests.with_postgres $(BIN)/pytest -n 2 --dist loadgroup -q

test-fast: style
	$(BIN)/pytest -n 2 -q -p no:schemathesis --ignore tests/contract --ignore tests/browser --ignore tests/portfolio/test_api_fuzzed.py -m "not database and not programs and not slow"

lint: style
	$(BIN)/bandit --quiet --recursive --severity-level medium --configfile pyproject.toml config exchange oco portfolio manage.py
	$(PY) -m tests.pip_audit

style: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PY) manage.py makemigrations --check --dry-run

types: .venv/.installed-dev
	$(BIN)/mypy .

fmt: .venv/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.installed-bench
	@for name in structure fill_path quiet busy protection lists pages signals backfill memory live day; do echo "── $$name"; $(PY) -m tests.benchmarks.$$name || exit 1; done
	@for name in quiet busy lists pages; do echo "── $$name"; $(PY) -m tests.with_postgres $(PY) -m tests.benchmarks.$$name || exit 1; done

STEPS ?= 50000
PROTECTION ?= 100000
soak: .venv/.installed-dev
	SOAK=1 $(BIN)/pytest -n 2 --dist loadgroup -q
	SOAK=1 $(PY) -m tests.with_postgres $(BIN)/pytest -n 2 --dist loadgroup -q
	$(PY) -m tests.soak --steps $(STEPS)
	$(PY) -m tests.with_postgres $(PY) -m tests.soak --steps $(STEPS)
	$(PY) -m tests.soak.protection --steps $(PROTECTION)
	$(PY) -m tests.with_postgres $(PY) -m tests.soak.protection --steps $(PROTECTION)
	$(PY) -m tests.soak.kills
	$(PY) -m tests.with_postgres $(PY) -m tests.soak.kills
	$(PY) -m tests.with_postgres $(PY) -m tests.soak.workers

bench-spacing: .venv/.installed-bench
	@for seconds in 60 30; do $(PY) -m tests.benchmarks.spacing --cycles 20 --interval $$seconds || exit 1; done

messages: .venv/.installed-dev
	$(PY) -m tests.messages

screenshots: .venv/.installed-dev
	$(PY) -m tests.screenshots

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Exchange Desk needs Python 3.11 or newer, but $(PYTHON) is: $$($(PYTHON) --version 2>&1)"; \
	  echo "Name a newer one:  make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.installed: requirements.txt .venv/.python
	$(PY) -m pip install --require-hashes --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	$(PY) -m pip install --require-hashes --no-deps --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.venv/.installed-bench: requirements-bench.txt .venv/.installed-dev
	$(PY) -m pip install --require-hashes --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@
