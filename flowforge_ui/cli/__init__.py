"""The command line: a table of commands, each module imported only when its command is called."""

import errno
import importlib
from dataclasses import dataclass

import click

from flowforge_ui import __version__
from flowforge_ui.config import ConfigErrors


@dataclass(frozen=True)
class Entry:
    """Where a command lives (``module:attribute``) and what ``flowforge --help`` says about it."""

    target: str
    help: str


COMMANDS = {
    "run": Entry("flowforge_ui.cli.run:run", "Serve the product."),
    "init": Entry("flowforge_ui.cli.init:init", "Set the installation up without a browser."),
    "config": Entry("flowforge_ui.cli.config:config", "Check and show the settings."),
    "analytics": Entry("flowforge_ui.cli.analytics:analytics", "Export and prune this installation's own analytics."),
    "telemetry": Entry("flowforge_ui.cli.telemetry:telemetry", "What the core ping does: show, try and prove it."),
    "collector": Entry("flowforge_ui.cli.collector:collector", "Receive core pings and look after them."),
    "demo": Entry("flowforge_ui.cli.demo:demo", "Fill the installation with a realistic month of use."),
    "backup": Entry("flowforge_ui.cli.backup:backup", "Copy the platform's state into one file."),
}


class LazyGroup(click.Group):
    """A group that knows its commands from a table, so that a small command does not pay for the large ones."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name].target} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command; what the user can mend is said in a line, everything else is a bug and keeps its trace."""
        try:
            return super().invoke(ctx)
        except ConfigErrors as error:
            raise click.ClickException("\n       ".join(str(one) for one in error.errors)) from None
        except OSError as error:
            if error.errno in {None, errno.EPIPE}:
                raise
            place = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{place}{error.strerror}") from None


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "config_file", metavar="FILE", help="The settings file, instead of ./flowforge.yml.")
@click.version_option(__version__, prog_name="flowforge", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, config_file: str | None) -> None:
    """FlowForge: a self-hosted platform whose telemetry its users can trust.

    The settings file is --config, else $FLOWFORGE_CONFIG, else ./flowforge.yml, else $FLOWFORGE_HOME/flowforge.yml.
    """
    ctx.obj = config_file
