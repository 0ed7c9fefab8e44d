"""``flowforge.yml`` and the environment -> typed settings, each value with the layer it came from.

The one table of keys is ``table``; ``load`` is the one way to get ``Settings``.
"""

from flowforge_ui.config.errors import ConfigError, ConfigErrors, shown
from flowforge_ui.config.loading import find, load
from flowforge_ui.config.report import Row, rows
from flowforge_ui.config.sources import variable
from flowforge_ui.config.table import KEYS, VARIABLES, Origin, Settings

__all__ = [
    "KEYS",
    "VARIABLES",
    "ConfigError",
    "ConfigErrors",
    "Origin",
    "Row",
    "Settings",
    "find",
    "load",
    "rows",
    "shown",
    "variable",
]
