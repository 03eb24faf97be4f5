# Two commands do everything: `make serve` and `make test`. `make bench` prints the performance figures
# beside those of other engines; BENCH="--full --json figures.json" and the like choose what it does.

HOST ?= 127.0.0.1
PORT ?= 8000
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOURCES := pyproject.toml

.PHONY: serve test bench lock clean

serve: $(VENV)/serves
	$(BIN)/foedus serve --host $(HOST) --port $(PORT)

test: $(VENV)/tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/foedus format --check
	$(BIN)/foedus check
	$(BIN)/python -m pytest -q -ra

bench: $(VENV)/tests
	$(BIN)/python tests/benchmarks/run.py $(BENCH)

# The venv holds what is locked, checked by hash; the project itself is installed so that edits take effect at once.
$(VENV)/serves: server/requirements.lock $(SOURCES) | $(BIN)/python
	$(PIP) install --require-hashes -r server/requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/tests: tests/requirements.lock $(SOURCES) | $(BIN)/python
	$(PIP) install --require-hashes -r tests/requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Foedus needs Python 3.11 or newer; $(PYTHON) is older or missing. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

# Renews the lock files, those of the project from pyproject.toml: exact versions and hashes, no addresses.
lock: $(VENV)/tests
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra build --output-file server/requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra build --extra test --output-file tests/requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --output-file tests/benchmarks/requirements.lock tests/benchmarks/requirements.in

clean:
	rm -rf $(VENV) .foedus
