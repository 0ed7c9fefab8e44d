"""``python -m flowforge_ui``: the command line."""

from flowforge_ui.cli import main

main()
