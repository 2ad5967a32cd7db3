# NovaStream. `make` alone lists what there is.

VENV ?= .venv
BIN := $(VENV)/bin
# The first Python on the path that is new enough, whatever it is called.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
CODE := protos libs services deploy tests
PACKAGES = $(wildcard libs/*/vod_* services/*/vod_* deploy/local/vod_local tests/fakes/vod_fakes)
LINES_PER_FILE := 400

.DEFAULT_GOAL := help
.PHONY: help run install test bench chaos soak docs check format lint types imports protos-lint migrations-lint requirements-check length-check lock protos clean

help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Use
run: install ## Install what is missing, then start everything (options: make run UP="--port 8090")
	@exec $(BIN)/vod up $(UP)

install: ## Install into .venv, as far as something changed
	@test -n "$(PYTHON)" || { echo "NovaStream needs Python 3.11 or newer, and none is on the path. Say where it is: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) deploy/install.py --venv $(VENV)

##@ Develop
test: install ## Run all tests (options: make test T="services/picks -k race")
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(T)

bench: install ## Measure ratios side by side (make bench HARNESS=FOLDER: also against the torrent streamers installed there)
	@PYTHONPATH=tests/e2e $(BIN)/python tests/bench/bench.py
	@PYTHONPATH=tests/e2e $(BIN)/python tests/bench/files.py
	@PYTHONPATH=tests/e2e $(BIN)/python tests/bench/heartbeats.py
	@PYTHONPATH=tests/e2e $(BIN)/python -m pytest -q -s tests/bench/catalog.py
	@test -z "$(HARNESS)" || $(BIN)/python tests/bench/swarms.py "$(HARNESS)"

chaos: install ## Break everything for as long as is promised, and print what a viewer sees of it (some 15 minutes)
	@VOD_CHAOS=full $(BIN)/python -m pytest -p no:cacheprovider --timeout 1200 tests/chaos services/stream-node/tests/component/test_autoplay.py $(T)

soak: install ## A day of a stream node in ten minutes, and 10,000 random ranges during a download
	@PYTHONPATH=tests/e2e $(BIN)/python tests/bench/soak.py
	@VOD_RANGES=10000 $(BIN)/python -m pytest -q -p no:cacheprovider --timeout 900 \
		services/stream-node/tests/component/test_hostile.py -k random_ranges

docs: install ## Write docs/configuration.md and docs/errors.md from the code
	@$(BIN)/python docs/generate.py

check: install format lint types imports protos-lint migrations-lint requirements-check length-check ## Run everything that needs no test
	@echo "All checks passed."

format: install ## Is everything formatted? (`.venv/bin/ruff format` does it)
	@$(BIN)/ruff format --check --quiet $(CODE)

lint: install ## ruff's rules
	@$(BIN)/ruff check --quiet $(CODE)

types: install ## mypy, strict
	@$(BIN)/mypy $(addprefix -p ,$(notdir $(PACKAGES)))
	@$(BIN)/mypy deploy/install.py deploy/lock.py

imports: install ## Who may import whom
	@$(BIN)/lint-imports

protos-lint: install ## buf lint
	@cd protos && $(abspath $(BIN))/buf lint

migrations-lint: install ## squawk: migrations that are safe on a live database
	@for file in services/*/migrations/*.sql; do \
		said=$$(sed '/^-- migrate:down/,$$d' $$file | $(BIN)/squawk --stdin-filepath $$file 2>&1) || { echo "$$said"; bad=1; }; \
	done; exit $${bad:-0}

requirements-check: ## The locked requirements name no package index
	@! grep -nE 'https?://|file:|--(extra-)?index-url|--find-links' deploy/requirements/*.txt

length-check: ## No Python file is too long
	@find $(CODE) -name '*.py' -not -path 'protos/gen/*' -exec wc -l {} + | \
		awk '$$2 != "total" && $$1 > $(LINES_PER_FILE) {print $$2 " has " $$1 " lines; at most $(LINES_PER_FILE)"; bad = 1} END {exit bad}'

##@ Maintain
lock: install ## Pin third-party packages again; present pins stay (options: make lock LOCK="--upgrade-package httpx")
	@$(BIN)/python deploy/lock.py $(LOCK)

protos: install ## Generate the code of protos/ again (install does it when a .proto changed)
	@rm -f $(VENV)/.own
	@$(PYTHON) deploy/install.py --venv $(VENV)

clean: ## Remove .venv and everything generated; no data of yours
	rm -rf $(VENV) protos/gen .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
