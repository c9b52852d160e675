# `make demo` shows the examples at work, `make test` runs everything. Both install what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Debian's Go and npm cannot be installed beside others.
missing = $(if $(shell command -v $(1) 2>/dev/null),,$(2))
SYSTEM_PACKAGES := chromium chromium-driver curl jq libfaketime oathtool php-cli postgresql zbar-tools \
	$(call missing,go,gccgo-go) $(call missing,npm,nodejs npm)
# PostgreSQL's programs and libfaketime are in no PATH.
SYSTEM_PROGRAMS := chromium chromedriver curl go jq node npm oathtool php \
	$(or $(wildcard /usr/lib/*/faketime/libfaketimeMT.so.1),libfaketimeMT.so.1) \
	$(or $(wildcard /usr/lib/postgresql/*/bin/initdb),initdb) zbarimg

# The Pythons that pyenv keeps are tested too.
PYENV_ROOT ?= $(HOME)/.pyenv
PYENV_PYTHONS := $(strip $(wildcard $(PYENV_ROOT)/versions/3.1[1-3].*/bin/python3))
comma := ,
space := $(subst ,, )
ifneq ($(PYENV_PYTHONS),)
export TOX_DISCOVER := $(subst $(space),$(comma),$(PYENV_PYTHONS))
endif

.PHONY: address demo test coverage system docs pictures bench format release clean

demo: system $(VENV)/demo
	$(VENV)/demo/bin/python examples/demo.py

test: system $(BIN)/tox
	$(BIN)/tox run-parallel --parallel 2 --parallel-no-spinner

# Branch coverage of the whole suite; fails below the figure in pyproject.toml.
coverage: system $(BIN)/tox
	$(BIN)/tox run -e coverage

# Debian's packages, where there is apt-get and something is missing; elsewhere the tests that need them say so.
system:
	@missing=; for program in $(SYSTEM_PROGRAMS); do command -v $$program >/dev/null || missing=yes; done; \
	if [ -n "$$missing" ] && command -v apt-get >/dev/null; then \
	    if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	    $$sudo apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $(SYSTEM_PACKAGES); \
	fi

# The documentation as a site that needs no network.
docs: $(VENV)/docs
	$(VENV)/docs/bin/python docs/pages.py build/docs
	$(VENV)/docs/bin/zensical build --strict --config-file build/docs/mkdocs.yml
	@echo "The documentation is in $(CURDIR)/build/docs/site; to read it: $(PYTHON) -m http.server --directory build/docs/site"

# The documentation's pictures of the page, after it was changed.
pictures: system $(BIN)/tox
	TOTPHOG_PICTURES=1 $(BIN)/tox run -q -e py313 -- tests/integration/test_pictures.py tests/integration/test_terminal_picture.py

bench: $(VENV)/bench
	PYTHONPATH=. $(VENV)/bench/bin/python benchmarks/run.py

format: $(BIN)/tox
	$(BIN)/tox exec -e lint -- ruff check --fix
	$(BIN)/tox exec -e lint -- ruff format

# What is published, built and checked in dist/; not while the project has no public address.
release: address $(VENV)/release
	rm -rf dist
	$(VENV)/release/bin/python -m build
	$(VENV)/release/bin/twine check --strict dist/*

# One place has it: pyproject.toml.
address:
	@! grep -n '^address = .*\.invalid"$$' pyproject.toml || \
	    { echo "This is a placeholder: give the project's public address there, then build." >&2; exit 1; }

clean:
	rm -rf $(VENV) .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

$(BIN)/tox:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip tox

$(VENV)/demo: pyproject.toml
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet --upgrade pip
	$@/bin/python -m pip install --quiet --group examples --editable '.[backends]'
	@touch $@

$(VENV)/bench: pyproject.toml
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet --upgrade pip
	$@/bin/python -m pip install --quiet --group bench --editable '.[sql]'
	@touch $@

$(VENV)/release: pyproject.toml
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet --upgrade pip
	$@/bin/python -m pip install --quiet --group release
	@touch $@

$(VENV)/docs: pyproject.toml
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet --upgrade pip
	$@/bin/python -m pip install --quiet --group docs --editable .
	@touch $@
