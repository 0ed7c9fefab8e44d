#!/bin/sh
# Makes sure there is a Chromium for the browser tests: the system's, else Debian's where root may install it,
# else Playwright's own. Prints its path into .make/chromium.
set -eu
mkdir -p .make
find_one() { for name in chromium chromium-browser google-chrome google-chrome-stable; do command -v "$name" && return 0; done; return 1; }
if ! path=$(find_one); then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium) >&2 || true
  fi
  if ! path=$(find_one); then
    .venv/bin/python -m playwright install chromium >&2
    path=$(.venv/bin/python -c 'from playwright.sync_api import sync_playwright as s
with s() as p: print(p.chromium.executable_path)')
  fi
fi
echo "$path" > .make/chromium
