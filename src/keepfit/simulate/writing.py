"""From a world that is asked for to a folder of raw files and `truth.json`, a month at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from keepfit import clock
from keepfit.simulate.faults import Fault
from keepfit.simulate.frame import Columns, Frame
from keepfit.simulate.world import Setting, World


def write_world(
    world: World, setting: Setting, faults: Sequence[Fault], label_delay: str, folder: Path
) -> dict[str, Any]:
    """Write a world's raw files into `folder`/data and its truth into `folder`/truth.json.

    Parameters
    ----------
    world, setting, faults
        What is simulated. The same ones give the same bytes.
    label_delay : str
        A duration after which labels are known, '' for at once; only told, since the definitions declare it.
    folder : Path
        The project; its `data` is made.

    Returns
    -------
    dict
        What truth.json holds: `world`, `seed`, `from`, `to`, `rows` by table, `drifts`, `faults`, `label` with `delay` and, by
        month, what is known to be true.
    """
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    rows: dict[str, int] = {}
    done: list[dict[str, Any]] = []
    months: dict[str, dict[str, float]] = {}
    for frame in world.once(setting):
        rows[frame.table] = frame.rows
        frame.write(data)
    for frames, truth in _spoiled(world, setting, faults, done):
        months |= {month: dict(told) for month, told in truth.items() if told}
        for frame in frames:
            rows[frame.table] = rows.get(frame.table, 0) + frame.rows
            frame.write(data)
    told = {
        "world": world.name,
        "seed": setting.seed,
        "from": clock.show(clock.to_micros(setting.start)),
        "to": clock.show(clock.to_micros(setting.end)),
        "rows": rows,
        "drifts": [drift.as_dict() for drift in setting.drifts],
        "faults": done,
        "label": {"name": world.knobs.label, "delay": label_delay, "months": months},
    }
    (folder / "truth.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return told


def _spoiled(
    world: World, setting: Setting, faults: Sequence[Fault], done: list[dict[str, Any]]
) -> Iterator[tuple[tuple[Frame, ...], Any]]:
    """Yield each month's files with the faults that fall on it, and with what the month before held back."""
    held: Columns = {}
    for month in world.live(setting):
        frames = []
        for clean in month.frames:
            frame = clean
            if frame.table == world.main:
                for index, fault in enumerate(faults):
                    if fault.month == frame.stamp:
                        done.append(fault.as_dict(frame))
                        frame = fault.spoil(frame, setting.stream(f"fault {index} {fault.said}"))
                came, held = held, frame.held
                frame = _with(frame, came)
            frames.append(frame)
        yield tuple(frames), month.truth


def _with(frame: Frame, came: Columns) -> Frame:
    """Return a file with late rows at its end; a header that it lacks stays away."""
    if not came:
        return frame
    none = [""] * len(next(iter(came.values())))
    return replace(frame, columns={name: [*values, *came.get(name, none)] for name, values in frame.columns.items()})
