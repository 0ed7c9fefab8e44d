"""The machine in the words of the existing fleet (those of Node's ``os`` module). Pure but for the defaults."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping

OS_TYPES = {"Windows": "Windows_NT"}
ARCHITECTURES = {
    "x86_64": "x64",
    "amd64": "x64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "i386": "ia32",
    "i686": "ia32",
    "x86": "ia32",
    "armv6l": "arm",
    "armv7l": "arm",
    "ppc64le": "ppc64",
    "loongarch64": "loong64",
}
# A kernel may carry anything its builder wrote; the numbers in front are all that is asked for.
_RELEASE = re.compile(r"\d+(?:\.\d+)*(?:-\d+)?")


def os_type(system: str) -> str:
    """``Linux``, ``Darwin``, ``Windows_NT``, ..."""
    return OS_TYPES.get(system, system)


def architecture(machine: str) -> str:
    """``x64``, ``arm64``, ..."""
    return ARCHITECTURES.get(machine.lower(), machine.lower())


def os_release(release: str) -> str:
    """``6.1.0-18`` of ``6.1.0-18-amd64``; empty when it does not begin with a number."""
    found = _RELEASE.match(release)
    return found.group() if found else ""


def facts() -> Mapping[str, object]:
    """What the ping says of this machine, by the plan's paths."""
    return {
        "os.type": os_type(platform.system()),
        "os.release": os_release(platform.release()),
        "os.arch": architecture(platform.machine()),
        "env.python": platform.python_version(),
    }
