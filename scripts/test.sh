#!/bin/sh
# Runs every test and says in the last lines what passed, failed and was skipped.
set -u
status=0
.make/node/bin/node --test --test-reporter=tap 'tests/js/*.test.ts' > .make/js.tap 2>&1 || { status=1; grep -B2 -A30 '^not ok' .make/js.tap; }
js_pass=$(sed -n 's/^# pass //p' .make/js.tap | tail -1); js_fail=$(sed -n 's/^# fail //p' .make/js.tap | tail -1); js_skip=$(sed -n 's/^# skipped //p' .make/js.tap | tail -1)
echo "TypeScript: ${js_pass:-0} passed, ${js_fail:-0} failed, ${js_skip:-0} skipped"
FLOWFORGE_CHROMIUM=$(cat .make/chromium) .venv/bin/python -m pytest -q -n 2 --dist loadfile "$@" > .make/py.log 2>&1; code=$?
cat .make/py.log
[ $code -eq 0 ] || status=1
count() { sed -n "s/.*[^0-9]\([0-9][0-9]*\) $1.*/\1/p; s/^\([0-9][0-9]*\) $1.*/\1/p" .make/py.log | tail -1; }
p=$(count passed); f=$(count failed); e=$(count error); s=$(count skipped)
echo "Python and browser: ${p:-0} passed, $(( ${f:-0} + ${e:-0} )) failed, ${s:-0} skipped"
echo "$(( ${js_pass:-0} + ${p:-0} )) passed, $(( ${js_fail:-0} + ${f:-0} + ${e:-0} )) failed, $(( ${js_skip:-0} + ${s:-0} )) skipped"
exit $status
