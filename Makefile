# Two commands: `make demo` (install, then the main job on the shipped photographs) and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m sr.run

.PHONY: demo install install-dev test test-all lint docs clean

demo: install
	$(RUN)
	$(BIN)/python -m sr.report
	$(BIN)/python -m sr.dashboard outputs/main
	@echo 'Open outputs/main/dashboard.html in a browser: pictures, scores, certificate.'

# `make install EXTRAS=video` adds extras of pyproject.toml.
EXTRAS ?=
install: $(VENV)/.installed $(if $(EXTRAS),$(VENV)/.installed-$(EXTRAS))
install-dev: $(VENV)/.installed-dev

$(BIN)/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv

$(VENV)/.installed: $(BIN)/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraints constraints.txt --editable .
	touch $@

$(VENV)/.installed-%: $(BIN)/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraints constraints.txt --editable '.[$*]'
	touch $@ $(VENV)/.installed

test: install-dev
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile

test-all: install-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

docs: install-dev
	$(BIN)/python docs/make_reference.py
	$(BIN)/zensical build --strict --clean

clean:
	rm -rf $(VENV) site docs/reference .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
