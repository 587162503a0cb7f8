"""Files are counted as arrays are, in one scan, to the last row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from keepfit.engines.local import LocalEngine
from keepfit.errors import SourceError
from keepfit.stages.monitoring import scan
from keepfit.stages.monitoring.profile import profile

ODD = [0.0, -0.0, 1.5, np.nextafter(1.5, 2), -np.inf, np.inf, np.nan, 7.0, 1e308, -1e308]


def written(engine: LocalEngine, folder: Path, name: str, columns: dict[str, np.ndarray]) -> str:
    path = folder / name
    types = {key: "VARCHAR" if values.dtype == object else "DOUBLE" for key, values in columns.items()}
    engine.save(engine.relation(columns, types), path)
    return str(path)


def test_files_and_arrays_are_counted_alike(engine: LocalEngine, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {
        "x": np.where(rng.random(900) < 0.1, np.nan, rng.normal(size=900)),
        "few": rng.integers(0, 4, 900).astype(np.float64),
        "nothing": np.full(900, np.nan),
        "s": np.array([None, "a", "", "it's", "b"], object)[rng.integers(0, 5, 900)],
        "blank": np.full(900, "", object),
        "never": np.full(900, None, object),
    }
    half = [written(engine, tmp_path, f"{n}.parquet", {k: v[n::2] for k, v in columns.items()}) for n in range(2)]
    files = scan.reference(engine.tally(half))
    assert files == profile(columns)
    assert files == scan.count(files, engine.tally(half[:1])) + scan.count(files, engine.tally(half[1:]))
    later = {"x": np.array(ODD), "few": np.array(ODD), "nothing": np.array(ODD)}
    later["s"] = np.array(["", "new", None, "a", "a", "", "", "new", "it's", "c"], object)
    later |= {"blank": later["s"], "never": later["s"]}
    path = written(engine, tmp_path, "later.parquet", later)
    assert scan.count(files, engine.tally([path])) == files.count(later)


def test_nan_in_a_file_is_a_null(engine: LocalEngine, tmp_path: Path) -> None:
    path = tmp_path / "nan.parquet"
    engine.connection.execute(f"copy (select unnest(['1', 'nan', '2', null, '-inf'])::double as x) to '{path}'")
    found = scan.count(profile({"x": np.array([1.0, 2.0])}), engine.tally([str(path)])).columns["x"]
    assert found == profile({"x": np.array([1.0, 2.0])}).columns["x"].count(np.array([1, np.nan, 2, np.nan, -np.inf]))


def test_bins_are_chosen_on_a_sample_and_counted_on_all_rows(engine: LocalEngine, tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=60_000)
    path = written(engine, tmp_path, "many.parquet", {"x": values})
    (found,) = scan.reference(engine.tally([path]), rows=6000).columns.values()
    assert sum(found.counts) == 60_000
    assert found == profile({"x": values}).columns["x"].__class__(found.edges, (), 0).count(values)
    assert max(found.counts) < 2 * 60_000 / 32


def test_what_cannot_be_read_is_said(engine: LocalEngine, tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_text("no")
    with pytest.raises(SourceError, match="cannot be read"):
        scan.reference(engine.tally([str(tmp_path / "bad.parquet")]))
