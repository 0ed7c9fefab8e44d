#!/bin/sh
# What must be clean before a commit. Every step runs, so that one look shows all there is to mend.
set -u
status=0
step() { name=$1; shift; if "$@" > .make/check.log 2>&1; then echo "ok    $name"; else status=1; echo "FAIL  $name"; cat .make/check.log; fi; }
step "format" .venv/bin/ruff format --check .
step "lint" .venv/bin/ruff check .
step "types (Python)" .venv/bin/mypy
step "types (TypeScript)" .make/node/bin/node node_modules/typescript/bin/tsc --noEmit -p .
step "rooms" .venv/bin/lint-imports
step "architecture and docs" .venv/bin/python -m pytest -q tests/architecture
exit $status
