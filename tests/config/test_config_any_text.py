"""Whatever a file or a variable holds: settings, or one line for each thing that is wrong. Never anything else."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowforge_ui.config import KEYS, ConfigErrors, load, rows, variable

QUICK = settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def outcome(place: Path, data: bytes, environ: dict[str, str]) -> None:
    (place / "flowforge.yml").write_bytes(data)
    try:
        found = load(place / "flowforge.yml", environ, cwd=place)
    except ConfigErrors as errors:
        refused = errors.errors
    else:
        assert [row.key for row in rows(found)] == list(KEYS)
        return
    assert refused
    assert all("\n" not in str(error) and len(str(error)) < 2000 for error in refused)
    "".join(map(str, refused)).encode()  # no lone surrogate reaches a terminal


WORDS = r"""telemetry: frontend: posthog: apikey: port: ' " &a *a << { } [ ] !!int !!binary !x | > --- ... = ? é 💥
\U \x ~ # 0x1f 1_000 1:30 .inf 2026-01-01 yes null"""
PIECES = st.sampled_from([*WORDS.split(), *"\n\t\ufeff\u2028\0 ", "- ", ": ", "  ", "%YAML 1.1\n"])


@QUICK
@given(text=st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join)))
def test_any_text(place: Path, text: str) -> None:
    outcome(place, text.encode("utf-8", "surrogatepass"), {})


@QUICK
@given(data=st.binary(max_size=200))
def test_any_bytes(place: Path, data: bytes) -> None:
    outcome(place, data, {})


ANY_VALUE = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.dates(), st.binary(max_size=5)
    ),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=6,
)


def nest(pairs: list[tuple[str, object]]) -> dict[str, object]:
    tree: dict[str, object] = {}
    for key, value in pairs:
        *sections, last = key.split(".")
        below = tree
        for section in sections:
            inner = below.setdefault(section, {})
            if not isinstance(inner, dict):
                break
            below = inner
        else:
            below[last] = value
    return tree


@QUICK
@given(pairs=st.lists(st.tuples(st.sampled_from([*KEYS, "telemetry", "telemetry.frontend"]), ANY_VALUE), max_size=6))
def test_known_keys_with_any_value(place: Path, pairs: list[tuple[str, object]]) -> None:
    outcome(place, yaml.safe_dump(nest(pairs), allow_unicode=True).encode("utf-8", "surrogatepass"), {})


LIKELY = st.from_regex(
    r"(https?|sqlite|postgresql|duckdb|clickhouse)://?/?(\w{0,3}(:\w?)?@)?[\w.\[\]:*-]{0,9}(:\d{0,6})?(/\w{0,4})?(\?\w?)?"
)


@QUICK
@given(
    key=st.sampled_from(list(KEYS)),
    text=st.one_of(st.text(st.characters(exclude_characters="\0"), max_size=40), LIKELY),
    suffix=st.sampled_from(["", "_FILE"]),
)
def test_variables_with_any_value(place: Path, key: str, text: str, suffix: str) -> None:
    outcome(place, b"", {variable(key) + suffix: text, "HTTPS_PROXY": text, "NO_PROXY": text})


def test_an_alias_that_holds_itself(place: Path) -> None:
    outcome(place, b"telemetry: &a\n  frontend: *a\n", {})


def test_a_billion_laughs(place: Path) -> None:
    laughs = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))
    outcome(place, f"a0: &a0 lol\n{laughs}\n".encode(), {})


SECRETS = [key for key, spec in KEYS.items() if spec.secret]


@QUICK
@given(
    key=st.sampled_from(SECRETS), text=st.from_regex(r"[0-9a-zé]{8}[ \w]{0,80}", fullmatch=True), listed=st.booleans()
)
def test_no_secret_is_ever_echoed(place: Path, key: str, text: str, listed: bool) -> None:
    (place / "flowforge.yml").write_text(yaml.safe_dump(nest([(key, [text] if listed else text)]), allow_unicode=True))
    for path, environ in ((place / "flowforge.yml", {}), (None, {variable(key): text})):
        try:
            found = load(path, environ, cwd=place)
        except ConfigErrors as errors:
            said = str(errors)
        else:
            said = repr(found) + repr(rows(found)) + repr(found.warnings)
        assert text.strip() not in said
