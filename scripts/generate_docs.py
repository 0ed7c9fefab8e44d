"""Writes the pages that are generated from code; `--check` only says whether they are current.

python scripts/generate_docs.py [--check]
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from flowforge_ui.config import KEYS, VARIABLES, variable
from flowforge_ui.config.table import MOVED, Spec

DOCS = Path(__file__).resolve().parent.parent / "docs"


def settings_page() -> str:
    """docs/settings.md, from the table of settings."""
    keys = "\n".join(_key(key, spec) for key, spec in KEYS.items())
    moved = "\n".join(f"- `{old}` is read as `{new}`, with a warning." for old, new in MOVED.items())
    special = "\n".join(_row(f"`{name}`", meaning) for name, meaning in VARIABLES.items())
    return f"""# Settings

Generated from `flowforge_ui/config/table.py` by `python scripts/generate_docs.py`; a test keeps it current.

The settings file is the first of: the option `--config FILE` (before the command), `$FLOWFORGE_CONFIG`,
`./flowforge.yml`, `$FLOWFORGE_HOME/flowforge.yml`. None is needed: every key has a default. Above the file stands the
environment:

- `FLOWFORGE_` and the key in capitals, two underscores a level: `{variable("telemetry.enabled")}=false`. A list is
  written with commas; an empty variable counts as not set; `null` unsets a key that may be null.
- The same name with `_FILE` names a file that holds the value (UTF-8, a newline at its end is dropped), as container
  platforms hand out secrets: `{variable("telemetry.frontend.posthog.apikey")}_FILE=/run/secrets/posthog`.

An unknown key or variable, a wrong type, an impossible value or a file that cannot be read stops the start, with a
line for each that names file, line, key, what was found, what is allowed, and the nearest known key.
`flowforge config check` says the same without starting; `flowforge config show` prints every key with its value
(secrets masked) and the layer it came from. Relative paths start at the working directory; `{{home}}` in a path or a
database URL stands for `home`.

## Keys

| key | type | default | since | meaning |
|---|---|---|---|---|
{keys}

Older names:

{moved}

## Other variables

| variable | meaning |
|---|---|
{special}
| `DO_NOT_TRACK` | Anything but empty, 0, false, no acts as `telemetry.enabled: false`. |
| `HTTPS_PROXY`, `NO_PROXY` | The egress proxy while `telemetry.proxy` is unset, and the hosts it is not used for. |

Any other variable that begins with `FLOWFORGE_` is refused, but for those Kubernetes sets by itself for a Service
called `flowforge` (`FLOWFORGE_SERVICE_HOST`, `FLOWFORGE_PORT=tcp://…` and their like): they are passed over.

## Together

- `base_url`, where not given, is `http://` with `host` and `port`.
- `workers` above 1 needs PostgreSQL in `database.url`, and ClickHouse in `telemetry.frontend.local.url` while
  `telemetry.frontend.local.enabled` is true: a DuckDB file belongs to one process.
- `telemetry.enabled: false` in the file is final: `FLOWFORGE_TELEMETRY__ENABLED=true` changes nothing, with a warning.
- With `telemetry.frontend.posthog.transport: direct` the PostHog host, and always the Plausible one, is a name or an
  IPv4 address: a page's security policy cannot name an IPv6 address, and browsers would block every event.
- `database.url`, `telemetry.frontend.local.url`, `collector.database_url` and `collector.key_file` each name a file of
  their own, and `home` no file.
- `postgres://` and `postgresql://` are read as `postgresql+psycopg://`.
"""


def _key(key: str, spec: Spec) -> str:
    meaning = f"Deprecated since {spec.deprecated}. {spec.doc}" if spec.deprecated else spec.doc
    if spec.secret:
        meaning += " Secret: masked wherever it is shown."
    return _row(f"`{key}`", f"{spec.kind.name}: {spec.kind.allowed}", _default(spec), spec.since, meaning)


def _default(spec: Spec) -> str:
    if spec.default is None:
        return spec.unset
    if isinstance(spec.default, bool):
        return "`true`" if spec.default else "`false`"
    return "`[]`" if spec.default == () else f"`{spec.default}`"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


PAGES: Mapping[str, Callable[[], str]] = {"settings.md": settings_page}


def main() -> int:
    stale = []
    for name, page in PAGES.items():
        path, text = DOCS / name, page()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/{name}")
    if stale and "--check" in sys.argv[1:]:
        print(f"not current: {', '.join(stale)}; run python scripts/generate_docs.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
