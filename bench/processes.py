"""What a running process has used: processor time and memory of it and its children, from the kernel's own books."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Used:
    """Seconds of processor time (program and kernel), and MiB in memory now and at most."""

    cpu: float
    resident: float
    peak: float


def used(pid: int) -> Used:
    """Of a process and all of its descendants."""
    family = [pid, *_descendants(pid)]
    found = [one for each in family if (one := _one(each)) is not None]
    return Used(sum(one.cpu for one in found), sum(one.resident for one in found), sum(one.peak for one in found))


def _descendants(pid: int) -> list[int]:
    everybody = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    children = [one for one in everybody if (fields := _stat(one)) is not None and int(fields[1]) == pid]
    return [*children, *(deeper for child in children for deeper in _descendants(child))]


def _one(pid: int) -> Used | None:
    fields = _stat(pid)
    if fields is None:
        return None
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    peak = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)
    return Used((int(fields[11]) + int(fields[12])) / _TICKS, int(fields[21]) * _PAGE / 2**20, peak / 1024)


def _stat(pid: int) -> list[str] | None:
    """The fields after the command's name, which may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
