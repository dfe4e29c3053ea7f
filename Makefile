# The two commands of the README and what they stand on. Everything is written beneath this folder: .venv/ and build/.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     ?= uv

# A stamp carries the digest of what it was installed from: an unchanged lock is never installed twice, a changed one always is.
digest  = $(shell cat $(1) | sha256sum | cut -c1-16)
RUNTIME := $(VENV)/.runtime-$(call digest,requirements.lock)
DEV     := $(VENV)/.dev-$(call digest,requirements-dev.lock pyproject.toml)

.PHONY: help demo test test-machine lint setup setup-runtime tools lock clean

help:
	@echo 'make demo    compile, verify and build the hospital, and show what came out (no root, no server)'
	@echo 'make test    linters, then every test; as root it installs the real tools that the tests ask'
	@echo 'make test-machine   the tests in qemu, by hand: packets behind kernel VRFs, VXLAN and WireGuard'
	@echo 'make lint    ruff, mypy and the import floors'
	@echo 'make setup   the environment in .venv, with everything the tests need'
	@echo 'make lock    resolve the dependencies again (needs uv)'
	@echo 'make clean   remove .venv, build and the caches'

demo: setup-runtime
	@examples/demo.sh $(BIN)/python

test: setup tools lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not machine"
	@echo 'NOT RUN: the tests behind a kernel that has everything, in a machine of its own: make test-machine'

test-machine: setup
	@tests/install-tools.sh machine
	$(BIN)/python -m pytest -m machine

lint: setup
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

setup: $(DEV)
setup-runtime: $(RUNTIME)

$(RUNTIME):
	@.ci/venv $(PYTHON) $(VENV) requirements.lock
	@rm -f $(VENV)/.runtime-* && touch $@

$(DEV):
	@.ci/venv $(PYTHON) $(VENV) requirements-dev.lock --editable
	@rm -f $(VENV)/.dev-* && touch $@

tools:
	@tests/install-tools.sh

COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
lock:
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find ztosc tests -name __pycache__ -type d -prune -exec rm -rf {} +
