"""A training set that cannot fit into memory is refused before it is computed."""

from __future__ import annotations

import pytest
from tests.conftest import at
from tests.test_selecting import opened

from keepfit import actions, loop
from keepfit.errors import TrainingError
from keepfit.stages.features import room


def machine(folder, available, limit=None, used=0, cached=0):
    (folder / "proc").mkdir()
    (folder / "proc/meminfo").write_text(f"MemTotal: 99 kB\nMemAvailable: {available} kB\n")
    if limit is not None:
        group = folder / "sys/fs/cgroup"
        group.mkdir(parents=True)
        (group / "memory.max").write_text(f"{limit}\n")
        (group / "memory.current").write_text(f"{used}\n")
        (group / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\n")
    return folder


def test_free_is_what_the_machine_or_its_container_has_left(tmp_path):
    for name in ("bare", "limited", "unlimited", "none"):
        (tmp_path / name).mkdir()
    assert room.free_memory(machine(tmp_path / "bare", 50)) == 50 * 1024
    assert room.free_memory(machine(tmp_path / "limited", 50, 9000, 5000, 1000)) == 5000
    assert room.free_memory(machine(tmp_path / "unlimited", 50, "max")) == 50 * 1024
    assert room.free_memory(tmp_path / "none") is None


def test_what_does_not_fit_is_refused_with_its_size():
    room.require_room("churn", 1_000_000, 40, free=4_000_000_000)
    with pytest.raises(TrainingError) as refused:
        room.require_room("churn", 100_000_000, 40, free=4_000_000_000)
    assert "100,000,000 observations of 40 columns need about 260.0 GB of memory; 4.0 GB are free" in refused.value.what
    assert "active" in refused.value.fix


def test_a_turn_without_room_keeps_the_champion_and_says_why(tmp_path, monkeypatch):
    project = opened(tmp_path)
    assert loop.run(project, None, at("2025-04-01"))[0].decision == "promote"
    monkeypatch.setattr(room, "free_memory", lambda: 1000)
    with pytest.raises(TrainingError, match="need about"):
        actions.train(project, project.model("takings"), at("2025-05-01"))
    done = loop.run(project, None, at("2025-08-01"))[-1]
    assert done.decision == "keep"
    assert done.champion.version == "1"
    assert any("GB are free" in reason for reason in done.reasons)
