"""`fer-stream plugins`: what there is, where it comes from, what failed."""

from __future__ import annotations

import inspect

import click


@click.command(short_help="List stages and where they come from.")
@click.option(
    "--plugin", multiple=True, metavar="FILE", help="A Python file with stages. May be repeated."
)
def plugins(plugin: tuple[str, ...]) -> None:
    """List every stage with its options and the distribution it comes from.

    Plugins that failed to load are listed with the reason.
    """
    from fer_stream.plugins import Plugins, installed
    from fer_stream.spec import options_of
    from fer_stream.stages import STAGE_KINDS

    found = Plugins(plugin)
    for kind in STAGE_KINDS:
        click.secho(f"{kind}s", bold=True)
        for name, providers in sorted(found.table(kind).items()):
            for provided in providers:
                about = (inspect.getdoc(provided.cls) or "").split("\n")[0]
                click.echo(f"  {name:<10} {about}  [{provided.plugin}]")
                options = ", ".join(
                    f"{key}={_shown(p)}" for key, p in options_of(provided.cls).items()
                )
                if options:
                    click.echo(f"  {'':<10} ?{options}")
    commands = [command.name or "" for command in installed().commands()]
    if commands:
        click.secho("commands", bold=True)
        click.echo(f"  {', '.join(commands)}")
    for conflict in found.conflicts():
        click.secho(f"conflict: {conflict}; uninstall or rename one", fg="red")
    for failure in found.failures:
        click.secho(f"failed: {failure.plugin}: {failure.reason}", fg="red")


def _shown(option: inspect.Parameter) -> str:
    if option.default is option.empty:
        return "... (needed)"
    default = option.default
    return str(default).lower() if isinstance(default, bool) else str(default)
