# `make run` and `make test` are all a fresh clone needs; `make help` names the rest.
SHELL := /bin/sh
PYTHON ?= python3
PY := .venv/bin/python
NODE := .make/node/bin/node
NPM := PATH="$(CURDIR)/.make/node/bin:$$PATH" .make/node/bin/npm
PLAN := $(wildcard flowforge_ui/plan/*.yml flowforge_ui/plan/dashboards/*.yml)
CLIENT := $(shell find static/js static/css -type f -not -path '*/generated/*' 2>/dev/null)
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help run build test check demo bench dist clean format
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Each step leaves a stamp below .make/ and is skipped while its inputs have not changed.
.make/venv: requirements.txt pyproject.toml
	@mkdir -p .make
	@$(PYTHON) -c 'import sys; sys.exit("Python >= 3.11 is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@echo "Installing Python packages"; $(PY) -m pip install --quiet -r requirements.txt
	@$(PY) -m pip install --quiet --no-deps -e .
	@touch $@

.make/venv-dev: .make/venv requirements-dev.txt
	@echo "Installing what the tests need"; $(PY) -m pip install --quiet -r requirements-dev.txt
	@touch $@

.make/node/stamp: scripts/node.sh .make/venv
	@sh scripts/node.sh
	@touch $@

.make/npm: package.json package-lock.json .npmrc .make/node/stamp
	@echo "Installing front-end packages"; $(NPM) ci --silent
	@touch $@

.make/generated: scripts/generate.py $(PLAN) .make/venv
	@$(PY) scripts/generate.py
	@touch $@

.make/front: .make/npm .make/generated scripts/build.mjs $(CLIENT)
	@$(NODE) scripts/build.mjs
	@touch $@

.make/chromium: scripts/chromium.sh .make/venv-dev
	@sh scripts/chromium.sh

build: .make/front ## the browser side, bundled into static/dist

run: .make/front ## set everything up and serve http://127.0.0.1:3000
	@test -n "$$FLOWFORGE_CONFIG" || test -f flowforge.yml || cp flowforge.example.yml flowforge.yml
	@exec .venv/bin/flowforge run

test: .make/front .make/venv-dev .make/chromium ## every test there is: Python, TypeScript, browser
	@sh scripts/test.sh

check: .make/front .make/venv-dev ## format, lint, types, architecture, docs
	@sh scripts/check.sh

format: .make/venv-dev ## put the code into its usual shape
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix --quiet . || true

demo: .make/front ## fill the running installation with a realistic month of use, its collector with a fleet
	@.venv/bin/flowforge demo
	@.venv/bin/flowforge collector demo

bench: .make/front .make/venv-dev .make/chromium ## measure; results go to docs/performance.md by hand
	@$(PY) -m bench

dist: .make/front ## a wheel that carries the built front end
	@rm -rf flowforge_ui/_web && mkdir flowforge_ui/_web && cp -R templates static/dist flowforge_ui/_web/
	@$(PY) -m pip wheel --quiet --no-deps --wheel-dir dist .; status=$$?; rm -rf flowforge_ui/_web; ls dist; exit $$status

clean: ## forget everything built (not what was recorded)
	@rm -rf .make .venv node_modules static/dist static/js/generated dist build
