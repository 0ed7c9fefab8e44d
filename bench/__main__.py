"""Everything that is measured, part after part: `make bench`, or `python -m bench PART...` for some of them."""

from __future__ import annotations

import argparse
import subprocess
import sys

PARTS = {
    "http": "intake, shell and API against a bare Flask route",
    "browser": "long tasks, layout shifts and input delay with telemetry off and on",
    "soak": "five minutes of 200 browsers while PostHog hangs",
    "delivery": "from the outbox into DuckDB, against a bare SQLite table",
    "acts": "what recording its event adds to an act",
    "insights": "questions at a million events, against SQLite",
    "collector": "pings a second, the fleet's dashboards, memory",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which; all unless named")
    named = parser.parse_args().parts or list(PARTS)
    failed = []
    for part in named:
        print(f"\n== {part}: {PARTS[part]}", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{part}"], check=False).returncode:
            failed.append(part)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
