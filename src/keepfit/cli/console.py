"""The one place that prints: JSON to standard output, or tables and sentences for a reader."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from keepfit.errors import KeepfitError
from keepfit.evidence import as_data


def show(result: Any, *, as_json: bool, render: Callable[[Any], None]) -> None:
    """Print a result as one JSON object, or hand it to `render`."""
    if as_json:
        sys.stdout.write(json.dumps(as_data(result), indent=2, ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()
    else:
        render(result)


def say(text: str = "") -> None:
    """Print a line of text."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Print a line for the reader on standard error, so that standard output stays the result's."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def fail(error: KeepfitError, *, as_json: bool) -> int:
    """Print an error and return its exit code."""
    if as_json:
        problems = [vars(problem) for problem in getattr(error, "problems", ())]
        sys.stdout.write(json.dumps({**error.as_dict(), **({"problems": problems} if problems else {})}) + "\n")
    else:
        sys.stderr.write(f"{error}\n")
    return error.exit_code


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[Any], None]]:
    """Give a listener for an ingest: a bar with rows per second in a terminal, nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rows]}")]
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def listen(done: Any) -> None:
            if done.table not in tasks:
                tasks[done.table] = bar.add_task(done.table, total=done.files, rows="")
            task = tasks[done.table]
            seconds = bar.tasks[task].elapsed or 0.0
            speed = f", {done.rows / seconds:,.0f} rows/s" if seconds else ""
            bar.update(task, completed=done.files_done, rows=f"{done.rows:,} rows{speed}")

        yield listen


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """Print a table; the last column wraps, the others do not."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    # without a terminal, lines are as long as a log can take
    wide = console if console.is_terminal else Console(highlight=False, width=150)
    shown = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        last = place == len(columns) - 1
        shown.add_column(column, no_wrap=not last, overflow="fold", ratio=1 if last else None)
    for row in rows:
        shown.add_row(*(Text(_cell(value)) for value in row))
    wide.print(shown)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return "-" if value != value else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
