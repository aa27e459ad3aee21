# Two commands need nothing but Python 3.11 or later and a bare clone: `make demo` and `make test`.
# PYTHON=/path/to/python chooses the Python that .venv is made with; JOBS=4 runs the tests in four processes.

.DEFAULT_GOAL := help
.PHONY: help demo test check bench docs pins clean python environment test-environment

SUITABLE := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3; do \
	if "$$each" -c '$(SUITABLE)' 2>/dev/null; then echo "$$each"; break; fi; done)
JOBS ?= 2
BIN := .venv/bin
CODE := src tests tools benchmarks

# uv is what reads the indexes for `make pins`; nothing else needs it.
UV := uv==0.13.9
COMPILE = build/pins/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make pins" $(if $(UPGRADE),--upgrade) --extra postgresql

# Matrices here are tiny: threads inside BLAS only take the cores from the processes beside it.
test bench demo: export OMP_NUM_THREADS := 1
test bench demo: export OPENBLAS_NUM_THREADS := 1
test bench demo: export MKL_NUM_THREADS := 1

help: ## This list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1	\2/p' Makefile | expand -t 14

demo: environment ## Run the example trial from first patient to report, into demo/
	@$(BIN)/equipoise demo demo
	@echo "(equipoise, here: $(BIN)/equipoise)"

test: test-environment ## Run every test
	@$(BIN)/pytest --numprocesses $(JOBS)

check: test-environment ## Lint, formatting, types and the import contract
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/mypy src
	@$(BIN)/mypy tools
	@$(BIN)/lint-imports

bench: test-environment ## Time what has a target: make bench, or make bench ONLY="cli ledger"
	@$(BIN)/python benchmarks/run.py $(ONLY)

docs: test-environment ## Write docs/reference/ anew from the code and check every link
	@$(BIN)/python tools/docs.py

pins: python ## Write requirements/*.txt anew; UPGRADE=1 takes newer versions
	@"$(PYTHON)" -m venv build/pins
	@build/pins/bin/python -m pip install --quiet --disable-pip-version-check $(UV)
	@$(COMPILE) pyproject.toml requirements/build.in --output-file requirements/run.txt
	@$(COMPILE) pyproject.toml requirements/build.in requirements/test.in --constraints requirements/run.txt \
		--output-file requirements/test.txt

clean: ## Remove what was made here, but for .venv
	@rm -rf demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

environment: python
	@"$(PYTHON)" tools/environment.py run

test-environment: python
	@"$(PYTHON)" tools/environment.py test

python:
	@if ! "$(PYTHON)" -c '$(SUITABLE)' 2>/dev/null; then \
		found=$$("$(or $(PYTHON),python3)" --version 2>&1) || found="none that runs"; \
		echo "Equipoise needs Python 3.11 or later; found: $$found." >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; \
		exit 1; \
	fi
