"""Reads what was given, in the file and in the environment; what it means is decided in ``loading``."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from flowforge_ui.config.errors import ConfigError, shown
from flowforge_ui.config.table import KEYS, MOVED, SECTIONS, VARIABLES, Origin

PREFIX = "FLOWFORGE_"
LARGEST_FILE = 256 * 1024  # bytes; a settings file of this size is not a settings file

# What Kubernetes sets for a Service called "flowforge": no settings of ours, and nobody typed them.
_SERVICE_LINK = re.compile(
    r"FLOWFORGE_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)


@dataclass(frozen=True)
class Given:
    """A value as somebody wrote it. ``tag`` is its YAML tag, None for plain text from the environment.

    ``texts`` holds one text, or one for each item where ``tag`` is a sequence's.
    """

    key: str
    tag: str | None
    texts: tuple[str, ...]
    origin: Origin
    file: str
    line: int | None = None
    item_tags: tuple[str, ...] = ()


Read = Given | ConfigError


def nearest(key: str) -> str | None:
    """The known key somebody meant: the same last part elsewhere, else the closest spelling."""
    known = [*KEYS, *sorted(SECTIONS - {moved.rpartition(".")[0] for moved in MOVED})]
    for name in known:  # the same letters, other separators: database_url
        if _letters(name) == _letters(key):
            return name
    same = [name for name in known if name.rpartition(".")[2] == key.rpartition(".")[2]]
    found = difflib.get_close_matches(key, same or known, n=1, cutoff=0.0 if same else 0.6)
    return found[0] if found else None


def _letters(name: str) -> str:
    return re.sub(r"[._-]", "", name).lower()


def _known_below(section: str) -> str:
    prefix = f"{section}." if section else ""
    parts = {key.removeprefix(prefix).partition(".")[0]: None for key in KEYS if key.startswith(prefix)}
    return ", ".join(parts)


# --- the file ---------------------------------------------------------------------------------------------------


def read_file(path: Path, name: str) -> list[Read]:
    """Everything the file gives, in its order, and everything wrong with its form."""
    try:
        text = _text(path, name)
        node = _compose(text, name)
    except ConfigError as error:
        return [error]
    if node is None or node.tag == "tag:yaml.org,2002:null":
        return []
    if not isinstance(node, yaml.MappingNode):
        why = "the file must hold keys and values (a mapping), like `port: 3000`"
        return [ConfigError(name, why, line=node.start_mark.line + 1, found=_what(node))]
    return list(_walk(node, "", name))


def _text(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(name, f"the file cannot be read: {error.strerror or type(error).__name__}") from None
    if len(data) > LARGEST_FILE:
        raise ConfigError(name, f"the file is larger than {LARGEST_FILE // 1024} KiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(name, f"the file is not UTF-8 (byte 0x{data[error.start]:02x})", line=line) from None


def _compose(text: str, name: str) -> yaml.Node | None:
    line: int | None
    try:
        loader = yaml.SafeLoader(text)
        try:
            node: yaml.Node | None = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(name, "not valid YAML: it holds a character YAML does not allow", line=line) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        column = "" if mark is None else f" (column {mark.column + 1})"
        said = shown(error.problem or error.context or "it cannot be read", 120)
        raise ConfigError(name, f"not valid YAML: {said}{column}", line=line) from None
    except RecursionError:
        raise ConfigError(name, "not valid YAML: nested too deeply") from None
    except (yaml.YAMLError, ValueError, OverflowError):
        # PyYAML lets these out for escapes and directives with numbers that are no characters or versions.
        raise ConfigError(name, "not valid YAML: it holds an escape or a directive that means nothing") from None
    return node


def _walk(node: yaml.MappingNode, section: str, name: str) -> Iterator[Read]:
    seen: dict[str, int] = {}
    for key_node, value in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            yield ConfigError(name, "a key must be a word", line=line, found=_what(key_node))
            continue
        part = key_node.value
        key = f"{section}.{part}" if section else part
        if part in seen:
            yield ConfigError(name, f"this key stands twice, first on line {seen[part]}", line=line, key=key)
            continue
        seen[part] = line
        yield from _entry(key, section, value, name, line)


def _entry(key: str, section: str, value: yaml.Node, name: str, line: int) -> Iterator[Read]:
    if key in SECTIONS:
        if isinstance(value, yaml.MappingNode):
            yield from _walk(value, key, name)
        elif value.tag != "tag:yaml.org,2002:null":  # a section whose keys are all commented out is empty
            allowed = f"keys below it ({_known_below(key) or 'domain'})"
            yield ConfigError(name, line=line, key=key, found=_what(value), allowed=allowed)
    elif key in KEYS or key in MOVED:
        yield _given(key, value, name, line)
    else:
        known = f"known {'below ' + section if section else 'here'}: {_known_below(section)}"
        why = f"unknown key; {known}" if _known_below(section) else "unknown key"
        yield ConfigError(name, why, line=line, key=key, nearest=nearest(key))


def _given(key: str, value: yaml.Node, name: str, line: int) -> Given:
    origin = Origin("file", f"{name}:{line}")
    if isinstance(value, yaml.ScalarNode):
        return Given(key, value.tag, (value.value,), origin, name, line)
    if isinstance(value, yaml.SequenceNode):
        texts = tuple(item.value if isinstance(item, yaml.ScalarNode) else "" for item in value.value)
        return Given(key, value.tag, texts, origin, name, line, tuple(item.tag for item in value.value))
    return Given(key, value.tag, (), origin, name, line)


def _what(node: yaml.Node) -> str:
    """A node in words; never its text, which may be a secret in the wrong place."""
    return what_tag(node.tag)


def what_tag(tag: str) -> str:
    words = {
        "str": "text",
        "int": "a number",
        "float": "a number with a fraction",
        "bool": "true or false",
        "null": "nothing",
        "timestamp": "a date",
        "seq": "a list",
        "map": "a mapping",
    }
    return words.get(tag.removeprefix("tag:yaml.org,2002:"), "a value of an unknown type")


# --- the environment --------------------------------------------------------------------------------------------


def variable(key: str) -> str:
    """``telemetry.enabled`` -> ``FLOWFORGE_TELEMETRY__ENABLED``."""
    return PREFIX + key.upper().replace(".", "__")


_VARIABLES = {variable(key): key for key in (*KEYS, *MOVED)}


def read_environment(environ: Mapping[str, str], cwd: Path) -> Iterator[Read]:
    """Everything the environment gives. An empty variable counts as not set."""
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in VARIABLES:
            continue
        text = environ[name].strip()
        key = _VARIABLES.get(name)
        if key is not None:
            from_kubernetes = key == "port" and re.match(r"(tcp|udp|sctp)://", text)
            if text and not from_kubernetes:
                yield Given(key, None, (text,), Origin("environment", name), name)
        elif (key := _VARIABLES.get(name.removesuffix("_FILE"))) is not None:
            yield from _secret_file(key, name, text, environ, cwd)
        elif not _SERVICE_LINK.fullmatch(name):
            yield ConfigError(name, "unknown variable", nearest=_nearest_variable(name))


def _nearest_variable(name: str) -> str | None:
    known = [*_VARIABLES, *VARIABLES]
    for candidate in known:  # one underscore where two were meant
        if candidate.replace("__", "_") == name.replace("__", "_"):
            return candidate
    found = difflib.get_close_matches(name.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known], n=1)
    return PREFIX + found[0] if found else None


def _secret_file(key: str, name: str, text: str, environ: Mapping[str, str], cwd: Path) -> Iterator[Read]:
    if not text:
        return
    if environ.get(name.removesuffix("_FILE"), "").strip():
        why = f"{name.removesuffix('_FILE')} and {name} are both set; remove one"
        yield ConfigError(name, why, key=key)
        return
    try:
        content = _text(cwd / text, text)
    except ConfigError as error:
        yield ConfigError(name, f"{shown(text)}: {error.why}", key=key)
        return
    except ValueError:  # a NUL in the path
        yield ConfigError(name, "this is no path", key=key)
        return
    value = content.rstrip("\r\n").strip()
    if value:
        yield Given(key, None, (value,), Origin("secret_file", name), name)
    else:
        yield ConfigError(name, f"{shown(text)}: the file is empty", key=key)
