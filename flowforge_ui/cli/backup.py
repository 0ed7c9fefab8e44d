"""``flowforge backup``: the platform's state in one file, taken while the server runs.

A SQLite database is copied by its own online backup, so that the copy is one state of it. The analytics file belongs
to one process at a time: while the server holds it, the operator is told so.
"""

import hashlib
import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import click

from flowforge_ui import __version__
from flowforge_ui.cli.common import print_json, read_settings
from flowforge_ui.config import Settings


@dataclass(frozen=True)
class Part:
    """One thing that goes into the backup: its name there, and what makes the copy."""

    name: str
    copy: Callable[[Path], None]


@dataclass(frozen=True)
class LeftOut:
    """What the backup does not hold, and what to do about it."""

    what: str
    why: str


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--without-analytics", is_flag=True, help="Leave the local analytics store out.")
@click.option("--collector-key", is_flag=True, help="Put the collector's key in, which makes senders recognisable.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def backup(ctx: click.Context, file: Path, without_analytics: bool, collector_key: bool, as_json: bool) -> None:
    """Copy the platform's state into FILE, a .tar.gz, while the server runs.

    To restore it, stop the server and unpack FILE into its home directory. Settings are not in it.
    """
    settings = read_settings(ctx)
    _refuse_postgresql(settings.database.url, file)
    if file.exists():
        raise click.ClickException(f"{file} is there already; nothing was written")
    parts, left_out = _collect(settings, file, without_analytics=without_analytics, collector_key=collector_key)
    hidden = as_json or not sys.stderr.isatty()
    with tempfile.TemporaryDirectory(prefix=".flowforge-backup-", dir=file.absolute().parent) as name:
        folder = Path(name)
        with click.progressbar(parts, label="Copying", file=sys.stderr, hidden=hidden) as steps:
            for part in steps:
                part.copy(folder / part.name)
        _write_manifest(folder)
        _pack(folder, file)
    if as_json:
        listed = [part.name for part in parts]
        size = file.stat().st_size
        print_json({"file": str(file), "bytes": size, "parts": listed, "left_out": [asdict(one) for one in left_out]})
        return
    click.echo(f"{file}: {', '.join(part.name for part in parts)}")
    for one in left_out:
        click.echo(f"Left out: {one.what}: {one.why}", err=True)


def _collect(
    settings: Settings, file: Path, *, without_analytics: bool, collector_key: bool
) -> tuple[list[Part], list[LeftOut]]:
    database = _sqlite_file(settings.database.url)
    if not database.exists():
        raise click.ClickException(f"there is nothing to back up: {database} does not exist")
    parts = [_sqlite_part("flowforge.db", database)]
    left_out = []
    projects = settings.home / "projects"
    if projects.is_dir():
        parts.append(Part("projects", lambda target: _copy_projects(projects, target)))
    local = settings.telemetry.frontend.local.url
    if without_analytics:
        left_out.append(LeftOut("analytics", "as asked"))
    elif not local.startswith("duckdb"):
        left_out.append(LeftOut("analytics", "they are in ClickHouse; use its BACKUP DATABASE"))
    elif Path(local.removeprefix("duckdb:///")).exists():
        parts.insert(0, Part("analytics.duckdb", lambda target: _copy_analytics(local, target)))
    fleet = settings.collector.database_url
    if not fleet.startswith("sqlite"):
        left_out.append(LeftOut("collector", f"it is in PostgreSQL; use {_pg_dump(fleet, file)}"))
    elif _sqlite_file(fleet).exists():
        parts.append(_sqlite_part("collector.db", _sqlite_file(fleet)))
    key = settings.collector.key_file
    if collector_key and key.exists():
        parts.append(Part("collector.key", lambda target: _copy_key(key, target)))
    elif key.exists():
        left_out.append(LeftOut("collector.key", "not asked for (--collector-key); keep it apart from the pings"))
    return parts, left_out


# --- databases --------------------------------------------------------------------------------------------------


def _sqlite_file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _sqlite_part(name: str, source: Path) -> Part:
    def copy(target: Path) -> None:
        uri = f"file:{quote(str(source))}?mode=rw"  # rw: it must be there; reading a log that others write needs it
        try:
            with (
                closing(sqlite3.connect(uri, uri=True, timeout=30)) as live,
                closing(sqlite3.connect(target)) as kept,
            ):
                live.backup(kept)
                kept.execute("PRAGMA journal_mode = DELETE")  # one file, no log beside it
        except sqlite3.Error as error:
            raise click.ClickException(f"{source}: {error}") from None

    return Part(name, copy)


def _copy_analytics(url: str, target: Path) -> None:
    """Copies file and log while this process holds the store, so that nobody writes.

    Another process reads the bytes: closing the file in this one would give up the engine's lock on it.
    """
    from flowforge_ui.analytics.errors import StoreError, StoreInUse
    from flowforge_ui.analytics.store import open_store

    try:
        store = open_store(url)
    except StoreInUse:
        raise click.ClickException(
            "the running server holds the analytics store, and only one process can read it: stop the server for the "
            "time of the backup, or leave the store out with --without-analytics; nothing was written"
        ) from None
    except StoreError as error:
        raise click.ClickException(f"the analytics store cannot be read: {error}") from None
    source = url.removeprefix("duckdb:///")
    program = "import shutil, sys; shutil.copyfile(*sys.argv[1:])"
    with closing(store):
        for suffix in ("", ".wal"):
            if Path(source + suffix).exists():
                command = [sys.executable, "-c", program, source + suffix, f"{target}{suffix}"]
                subprocess.run(command, check=True)  # noqa: S603 - this Python, paths of the settings


def _refuse_postgresql(url: str, file: Path) -> None:
    if url.startswith("postgresql"):
        raise click.ClickException(f"the platform's state is in PostgreSQL, which has its own: {_pg_dump(url, file)}")


def _pg_dump(url: str, file: Path) -> str:
    """The exact command, without the password: pg_dump asks for it, or takes it from ~/.pgpass."""
    plain = re.sub(r"://([^:/@]*):.*@", r"://\1@", url.replace("postgresql+psycopg://", "postgresql://"))
    plain = re.sub(r"(?<=[?&])(password|sslpassword)=[^&]*&?", "", plain).rstrip("?&")
    target = file.with_name(file.name.removesuffix(".gz").removesuffix(".tar") + ".dump")
    return shlex.join(["pg_dump", "--format=custom", "--no-owner", f"--file={target}", f"--dbname={plain}"])


# --- files ------------------------------------------------------------------------------------------------------


def _copy_projects(source: Path, target: Path) -> None:
    """Flows files are replaced as a whole, so each copy is one state of its file; what has gone meanwhile is gone."""
    for folder in sorted(source.iterdir()):
        try:
            data = (folder / "flows.json").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            continue
        (target / folder.name).mkdir(mode=0o700, parents=True)
        (target / folder.name / "flows.json").write_bytes(data)


def _copy_key(source: Path, target: Path) -> None:
    with _private(target) as out, source.open("rb") as file:
        os.write(out, file.read())


def _write_manifest(folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {
        "version": __version__,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": {path.relative_to(folder).as_posix(): _sha256(path) for path in files},
    }
    (folder / "backup.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _private(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        yield handle
        os.fsync(handle)
    finally:
        os.close(handle)


def _pack(folder: Path, file: Path) -> None:
    """FILE appears when it is complete, readable by its owner alone: it holds password hashes."""
    packed = folder / ".packed"
    with _private(packed) as handle, os.fdopen(handle, "wb", closefd=False) as out:
        with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as tar:
            for path in sorted(folder.iterdir()):
                if path != packed:
                    tar.add(path, arcname=path.name)
        out.flush()
    try:
        os.link(packed, file)  # unlike a rename it never replaces a file that has appeared meanwhile
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        packed.replace(file)
