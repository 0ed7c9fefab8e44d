"""From what was given to settings: each value read by its kind, then what they mean together."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import cast

from flowforge_ui.config import places, rules
from flowforge_ui.config.errors import ConfigError, ConfigErrors
from flowforge_ui.config.kinds import BOOL, FALSE, STR, TRUE, Paths, hidden, quoted
from flowforge_ui.config.sources import Given, Read, read_environment, read_file, what_tag
from flowforge_ui.config.table import KEYS, MOVED, Origin, Settings, Spec, build
from flowforge_ui.config.urls import Refused

NULL = "tag:yaml.org,2002:null"
SEQUENCE = "tag:yaml.org,2002:seq"
MAPPING = "tag:yaml.org,2002:map"
BUILT_IN = Origin("default", "built in")


def find(option: str | None, environ: Mapping[str, str], *, cwd: Path) -> Path | None:
    """The settings file: ``--config``, else $FLOWFORGE_CONFIG, ./flowforge.yml, $FLOWFORGE_HOME/flowforge.yml.

    The first two need not exist (``load`` then says so); None when there is no file at all.
    """
    named = option or environ.get("FLOWFORGE_CONFIG", "").strip()
    if named:
        return cwd / named
    here = cwd / "flowforge.yml"
    if here.exists():
        return here
    home = environ.get("FLOWFORGE_HOME", "").strip()
    there = cwd / home / "flowforge.yml"
    return there if home and there.exists() else None


def load(path: Path | None, environ: Mapping[str, str], *, cwd: Path) -> Settings:
    """Settings from the file (None: no file), the environment above it, and the defaults below it.

    Raises:
        ConfigErrors: with everything that is wrong, never only the first thing.
    """
    reads: list[Read] = []
    if path is not None:
        full = cwd / path
        reads += read_file(full, _name(full, cwd))
    reads += read_environment(environ, cwd)
    errors = [read for read in reads if isinstance(read, ConfigError)]
    given, notes, clashes = _by_key([read for read in reads if isinstance(read, Given)])
    errors += clashes
    bad = {error.key for error in errors if error.key}
    values = _values(given, cwd, errors, bad)
    origins = {key: given[key].origin if key in given else BUILT_IN for key in KEYS}
    facts = rules.Facts(values, origins, given, notes, environ, frozenset(bad))
    errors += [*rules.apply(facts), *places.check(facts)]
    if errors:
        in_file = _name(cwd / path, cwd) if path is not None else None
        raise ConfigErrors(sorted(errors, key=lambda error: (error.file != in_file, error.line or 0)))
    return build(
        values,
        file=None if path is None else cwd / path,
        origins=MappingProxyType(origins),
        warnings=tuple(notes),
        test_browser=rules.switched_on(environ.get("FLOWFORGE_TEST_BROWSER")),
        test_ping_after_s=rules.seconds(environ.get("FLOWFORGE_TEST_PING_AFTER_S")),
        no_proxy=environ.get("NO_PROXY") or environ.get("no_proxy") or "",
    )


def _name(path: Path, cwd: Path) -> str:
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)


def _by_key(entries: list[Given]) -> tuple[dict[str, Given], list[str], list[ConfigError]]:
    """One value a key: the later layer wins, but over what is final.

    An older name gives its value to the new one, unless both are there.
    """
    given: dict[str, Given] = {}
    notes: list[str] = []
    errors: list[ConfigError] = []
    for entry in entries:
        before = given.get(entry.key)
        if before is not None and _final(before) and _says(entry, TRUE):
            final = f"{before.origin.where} says false, which is final: true here changes nothing"
            notes.append(f"{entry.origin.where}: {entry.key}: {final}")
        elif entry.key not in MOVED:
            given[entry.key] = entry
    moved = {entry.key: entry for entry in entries if entry.key in MOVED}
    for old, entry in moved.items():
        new = MOVED[old]
        if new in given:
            why = f"{old} is the older name of {new}, which is set too ({given[new].origin.where}); remove the older"
            errors.append(ConfigError(entry.file, why, line=entry.line, key=old))
        else:
            given[new] = replace(entry, key=new)
            notes.append(f"{entry.origin.where}: {old} has moved: write it as {new}")
    return given, notes, errors


def _final(entry: Given) -> bool:
    """Whoever writes into the file that nothing leaves has decided, whatever a process is started with."""
    return entry.key == "telemetry.enabled" and entry.tag == BOOL and _says(entry, FALSE)


def _says(entry: Given, words: frozenset[str]) -> bool:
    return len(entry.texts) == 1 and entry.texts[0].strip().lower() in words


def _values(given: Mapping[str, Given], cwd: Path, errors: list[ConfigError], bad: set[str]) -> dict[str, object]:
    """Every key's value; where one cannot be read its error is kept and the default stands in."""
    paths = Paths(cwd, cwd)
    values: dict[str, object] = {}
    for key in ("home", *(key for key in KEYS if key != "home")):  # home first: the others are filled with it
        spec = KEYS[key]
        values[key] = _default(spec, paths)
        if key in given:
            try:
                values[key] = _read(spec, given[key], paths)
            except ConfigError as error:
                errors.append(error)
                bad.add(key)
        if key == "home":
            paths = Paths(cwd, cast("Path", values[key]))
    return values


def _default(spec: Spec, paths: Paths) -> object:
    return spec.kind.read(spec.default, paths) if isinstance(spec.default, str) else spec.default


def _read(spec: Spec, entry: Given, paths: Paths) -> object:
    kind = spec.kind
    nothing = entry.tag == NULL or (entry.tag in {None, STR} and entry.texts[0].strip() in {"", "null"})
    if nothing and spec.default is None:
        return None
    if kind.many:
        return tuple(_item(spec, entry, text, paths) for text in _items(spec, entry))
    if entry.tag not in {None, kind.tag}:
        raise _wrong_type(spec, entry, needless_quotes=entry.tag == STR and _readable(spec, entry.texts[0], paths))
    return _item(spec, entry, entry.texts[0].strip(), paths)


def _readable(spec: Spec, text: str, paths: Paths) -> bool:
    try:
        spec.kind.read(text.strip(), paths)
    except Refused:
        return False
    return True


def _items(spec: Spec, entry: Given) -> Iterator[str]:
    if entry.tag is None:
        yield from (text.strip() for text in entry.texts[0].split(",") if text.strip())
    elif entry.tag != SEQUENCE or any(tag != spec.kind.tag for tag in entry.item_tags):
        raise _wrong_type(spec, entry)
    else:
        yield from (text.strip() for text in entry.texts)


def _item(spec: Spec, entry: Given, text: str, paths: Paths) -> object:
    try:
        return spec.kind.read(text, paths)
    except Refused as refused:
        echo = hidden if spec.secret else spec.kind.echo
        found = echo(text) if text else "nothing"
        raise ConfigError(
            entry.file, str(refused), line=entry.line, key=entry.key, found=found, allowed=spec.kind.allowed
        ) from None


def _wrong_type(spec: Spec, entry: Given, *, needless_quotes: bool = False) -> ConfigError:
    tag = entry.tag or STR
    found = what_tag(tag)
    scalar = tag not in {NULL, SEQUENCE, MAPPING}
    if scalar and not spec.secret and spec.kind.echo is quoted:
        found += f" ({quoted(entry.texts[0])})"
    why = ""
    if spec.kind.many:
        why = "a list is needed, an item a line or in [brackets]"
        if tag == SEQUENCE:
            found = "a list that holds " + ", ".join(sorted({what_tag(item) for item in entry.item_tags}))
    elif scalar and spec.kind.tag == STR:
        why = "text is needed; put it in quotes"
    elif needless_quotes:
        why = "quotes make it text; leave them out"
    return ConfigError(entry.file, why, line=entry.line, key=entry.key, found=found, allowed=spec.kind.allowed)
