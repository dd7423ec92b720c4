"""`fer-stream prepare`: Kaggle's table of FER-2013 as folders of PNG files."""

from __future__ import annotations

from pathlib import Path

import click

from .options import out_folder


@click.command(short_help="Unpack fer2013.csv into folders of PNG files.")
@click.argument("table", metavar="CSV", type=click.Path(path_type=Path))
@out_folder("A new or empty folder for train/ and test/.")
def prepare(table: Path, out: Path) -> None:
    """Unpack Kaggle's CSV into train/<emotion>/im0.png and test/<emotion>/im0.png.

    CSV is fer2013.csv or icml_face_data.csv, also as .gz or .zip. Training goes to train/;
    PublicTest and PrivateTest both go to test/, as in the demo that made these folders known.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    from fer_stream.errors import ConfigError
    from fer_stream.words import counted

    from ..data.demo_folders import write_demo_folders
    from ..data.splits import SPLITS
    from ..data.table import table_rows
    from ..progress import shown

    if not table.is_file():
        raise ConfigError(f"no file {table}; expected Kaggle's fer2013.csv; check its path")
    console = Console(stderr=True)
    columns = (TaskProgressColumn(), BarColumn(), "left", TimeRemainingColumn())
    bar = Progress(*columns, console=console, disable=not console.is_terminal)
    with shown(bar):
        rows = table_rows(table, SPLITS, lambda path: bar.open(path, "rb"))
        written = write_demo_folders(rows, out)
    tests = " and ".join(f"{written[name]:,} of {name}" for name in SPLITS[1:] if written[name])
    training = counted(written["Training"], "image", ",")
    click.echo(f"{out}: {training} of Training in train/, {tests} in test/")
    if written["PublicTest"] and written["PrivateTest"]:
        click.echo(
            "A training on these folders checks itself on all of test/. To keep PrivateTest "
            f"unseen, train with --data {table}."
        )
