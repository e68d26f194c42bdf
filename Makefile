# tensorkit: set up, learn, check. `make` alone lists what there is.

PYTHON ?= python3
VENV   ?= .venv
# Workers for the tests: each starts kernels and a browser of its own, so more than two gain little.
JOBS   ?= 2
BIN    := $(VENV)/bin

# Kernels that tests compile stay beside the environment: `make clean` forgets both. They are compiled
# before the tests, so that two workers do not compile the same ones and no time limit counts it.
export TENSORKIT_CACHE ?= $(abspath $(VENV))/kernels

# $(call apt,PACKAGE,SENTENCE): installs PACKAGE where that is allowed, and otherwise says what to do.
apt = if [ "$$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then \
	    echo "$(2) Installing $(1)." && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1) >/dev/null; \
	else echo "$(2) Install it with: sudo apt-get install $(1)" >&2; exit 1; fi

.PHONY: help lab test kill-table site bench bench-widgets bench-grading bubblewrap format slides gallery clean chromium

help:
	@echo "make lab      open the first lesson in JupyterLab"
	@echo "make test     lint, check types, run all tests"
	@echo "make kill-table  count the wrong answers that each homework catches"
	@echo "make bench    compare speed with other libraries (downloads PyTorch), draw benchmarks/speed.png"
	@echo "make bench-widgets  measure steppers and explorers in a browser"
	@echo "make bench-grading  compare grading with plain nbgrader, draw benchmarks/grading.png"
	@echo "make gallery  write the page of all explorers into _site/"
	@echo "make site     write all lessons and the reference as a website into _site/"
	@echo "make slides   write every lesson as slides into _site/"
	@echo "make format   format the sources"
	@echo "make clean    remove everything that was made, .venv too"

lab: $(VENV)/.kit
	@$(BIN)/tensorkit lab

test: $(VENV)/.test chromium bubblewrap
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict tensorkit
	$(BIN)/tensorkit warm
	$(BIN)/pytest -n $(JOBS) --dist loadfile

kill-table: $(VENV)/.test
	@$(BIN)/python tests/kill_table.py

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks --all --write

bench-widgets: $(VENV)/.test chromium
	$(BIN)/python -m benchmarks.widgets

bench-grading: $(VENV)/.test bubblewrap
	$(BIN)/python -m benchmarks.grading

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

site: $(VENV)/.site
	@$(BIN)/tensorkit site --output _site

slides: $(VENV)/.kit
	@for lesson in notebooks/*.ipynb; do $(BIN)/tensorkit slides "$$lesson" --output _site || exit 1; done

gallery: $(VENV)/.kit
	@$(BIN)/tensorkit export gallery --output _site

clean:
	rm -rf $(VENV) build dist _site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# An empty file stands for "installed": it is made anew when setup.py changes.
$(VENV)/.kit: setup.py | $(BIN)/pip
	@echo "Installing tensorkit into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.test $(VENV)/.bench $(VENV)/.site: $(VENV)/.%: setup.py | $(BIN)/pip
	@echo "Installing tensorkit with what \"make $*\" needs into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

# pip comes last when an environment is made, so its presence means that the environment is whole.
$(BIN)/pip:
	@command -v $(PYTHON) >/dev/null || { $(call apt,python3,There is no $(PYTHON) here.); }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "tensorkit needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  $(call apt,$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'),This Python cannot make virtual environments.); }
	@$(PYTHON) -m venv $(VENV)

# The browser tests drive Chromium: Debian has it as a package, elsewhere Playwright brings its own.
chromium: | $(VENV)/.test
	@$(BIN)/python -m tensorkit.cli.browser >/dev/null || { \
	  if [ "$$(id -u)" -ne 0 ]; then \
	    echo "The browser tests need Chromium. Install it with: sudo apt-get install chromium" >&2; \
	    echo "(where there is no such package: $(BIN)/playwright install --with-deps chromium)" >&2; exit 1; \
	  elif apt-cache show chromium >/dev/null 2>&1 || { apt-get update -qq && apt-cache show chromium >/dev/null 2>&1; }; then \
	    $(call apt,chromium,The browser tests need Chromium.); \
	  else $(BIN)/playwright install --with-deps chromium; fi; }

# Grading runs learners' code in sandboxes, which bubblewrap makes on Linux.
bubblewrap:
	@[ "$$(uname)" != Linux ] || command -v bwrap >/dev/null || { $(call apt,bubblewrap,The sandbox of grading needs bubblewrap.); }
