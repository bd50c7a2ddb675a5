# Everything a newcomer needs: `make demo` and `make test`. Nothing has to be installed first but make itself.
.DEFAULT_GOAL := help
.PHONY: help venv demo test test-unit test-engine bench check format docs clean

VENV := .venv
PYTHON := $(VENV)/bin/python

help: ## What can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

venv: $(VENV)/.installed ## The virtual environment with the tool and what its tests need

$(VENV)/.installed: pyproject.toml .ci/venv.sh
	@.ci/venv.sh $(VENV)
	@touch $@

demo: venv ## Build php-82-fpm, verify it, send it a web request (finds or installs a Docker engine)
	@.ci/engine.sh demo
	@.ci/demo.sh

test: venv ## All tests, those against the engine among them
	@.ci/engine.sh test
	@.ci/browser.sh
	@$(MAKE) --no-print-directory check
	$(PYTHON) -m pytest

test-unit: venv ## The tests that need no engine
	$(PYTHON) -m pytest tests/unit

bench: venv ## What the PHP runtimes cost, against the least that PHP can do (some minutes)
	@.ci/engine.sh test
	@$(VENV)/bin/runtimebuilder build php-82 php-82-fpm php-82-console --base debian-12
	$(PYTHON) -m tests.benchmarks.php_runtimes $(BENCH)

check: venv ## Linters, types, directions between packages
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

format: venv ## Format the code
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

docs: venv ## Make the generated pages again
	$(PYTHON) -m runtimebuilder.conformance.catalogue > docs/conformance-cases.md
	$(PYTHON) -m runtimebuilder.spec.extension_table > docs/php-extensions.md
	$(PYTHON) -m runtimebuilder.spec.reference docs/specs.md

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
