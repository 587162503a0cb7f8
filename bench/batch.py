"""What scoring a file costs beside calling XGBoost directly on the same Arrow batches, and `mlflow.pyfunc` on pandas.

All read one Parquet file of 30 features as doubles and a key, answer by the same XGBoost model (300 trees of depth 6), and write
key and score as Parquet. Two things are timed, after the model is loaded and one batch has been answered:

    answers   Arrow batches in memory to scores: the matrix and the trees. keepfit compares its own with ONNX Runtime in each batch
    file      Parquet to Parquet. keepfit checks every row, and writes `positive`, `version` and `threshold` beside the score

XGBoost gets its batches as float32 columns of a NumPy matrix (`inplace_predict`, the faster way) and as an Arrow table
(`DMatrix(table)`). MLflow loads the model by its XGBoost flavor and answers a frame, whole. Programs take turns, each in a process
of its own; peers run in environments that uv makes. `cpu s` and `peak MB` are of the whole process.

    python bench/batch.py --rows 1000000 --rounds 5
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import sidebyside

NAMES = [f"x{place:02d}" for place in range(30)]
BATCH = 250_000
XGBOOST = ["xgboost-cpu==3.2.0", "pyarrow", "numpy"]
MLFLOW = ["mlflow==3.17.2", "xgboost-cpu==3.2.0", "pandas<3", "pyarrow", "scikit-learn"]


def prepare(folder: Path, rows: int) -> None:
    """Write the rows, the artifact and the peers' model."""
    import duckdb
    import xgboost
    from onnxmltools.convert import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    from keepfit import Events, Every, Files, Float, Model, Records, artifact

    columns = ", ".join(f"case when random() > 0.05 then random() * {place + 1} end as {name}"
                        for place, name in enumerate(NAMES))  # fmt: skip
    duckdb.execute(f"copy (select range as key, {columns} from range({rows})) to '{folder}/rows.parquet'")
    random = np.random.default_rng(7)
    matrix = (random.random((50_000, len(NAMES))) * np.arange(1, 31)).astype(np.float32)
    told = matrix[:, 0] * 3 + matrix[:, 5] / 4 - matrix[:, 20] / 12 + random.logistic(size=len(matrix))
    target = (told > np.median(told)).astype(float)
    settings = {"objective": "binary:logistic", "max_depth": 6, "min_child_weight": 0}
    booster = xgboost.train(settings, xgboost.DMatrix(matrix, label=target), num_boost_round=300)
    onnx = convert_xgboost(booster, initial_types=[("x", FloatTensorType([None, len(NAMES)]))], target_opset=15)
    shops = Records("shops", Files("s.csv"), entity="key", columns={})
    sales = Events("sales", Files("e.csv"), entity="key", time="at", columns={name: Float() for name in NAMES})
    features = [sales[name].last() for name in NAMES]
    model = Model("churn", observe=Every("1 week", of=shops), features=features, target=sales.count(next="7d") == 0)
    made = artifact.Artifact(model, tuple(NAMES), {}, 0.5, 0.5, {}, {})
    artifact.write(made, {"model.onnx": onnx.SerializeToString()}, folder / "1")
    booster.feature_names = NAMES
    booster.save_model(folder / "model.ubj")


def keepfit(folder: Path) -> dict[str, Any]:
    from arro3.core import RecordBatchReader, Table

    from keepfit import artifact
    from keepfit.engines.local import LocalEngine
    from keepfit.stages.registry.version import Version
    from keepfit.steps import scoring
    from keepfit.steps.answering import Loaded
    from keepfit.steps.aside import Aside
    from keepfit.steps.targets import Target

    own, engine, source = folder / "1", LocalEngine(), folder / "rows.parquet"
    version = Version("churn", "1", own, "", 0, 0, None)
    by = Loaded(version, artifact.read(own), artifact.Predictor.load(own))
    found = RecordBatchReader.from_arrow(engine.connection.sql(f"from '{source}'")).read_all()
    batches = [batch for batch in found.rechunk(max_chunksize=BATCH).to_batches() if batch.num_rows]

    numbers = ", ".join(f"coalesce({name}, 'nan'::DOUBLE) as {name}" for name in NAMES)

    def answers(batch: Any) -> np.ndarray:
        engine.connection.register("batch", Table.from_batches([batch]))
        columns = engine.connection.sql(f"select {numbers} from batch").fetchnumpy()
        return by.predictor.score(artifact.encode(columns, tuple(NAMES), {}))

    def file(target: Path) -> None:
        scoring.score_rows(engine, by, source, source.name, Target(target, force=True), Aside(None, source.name))

    return _timed(answers, batches, file, folder / "keepfit.parquet")


def xgboost(folder: Path, *, arrow: bool = False) -> dict[str, Any]:
    import pyarrow
    import pyarrow.parquet
    import xgboost

    booster = xgboost.Booster(model_file=folder / "model.ubj")

    def answers(batch: Any) -> np.ndarray:
        if arrow:
            return booster.predict(xgboost.DMatrix(pyarrow.Table.from_batches([batch]).select(NAMES)))
        matrix = np.empty((batch.num_rows, len(NAMES)), np.float32)
        for place, name in enumerate(NAMES):
            matrix[:, place] = batch[name].to_numpy(zero_copy_only=False)
        return booster.inplace_predict(matrix, validate_features=False)

    def file(target: Path) -> None:
        writer = None
        for batch in pyarrow.parquet.ParquetFile(folder / "rows.parquet").iter_batches(BATCH):
            told = pyarrow.table({"key": batch["key"], "score": answers(batch)})
            writer = writer or pyarrow.parquet.ParquetWriter(target, told.schema)
            writer.write_table(told)
        writer.close()

    batches = list(pyarrow.parquet.ParquetFile(folder / "rows.parquet").iter_batches(BATCH))
    return _timed(answers, batches, file, folder / "xgboost.parquet")


def xgboost_arrow(folder: Path) -> dict[str, Any]:
    return xgboost(folder, arrow=True)


def mlflow(folder: Path) -> dict[str, Any]:
    import mlflow
    import pandas
    import xgboost

    saved = folder / "mlflow"
    if not saved.exists():
        # a booster answers with the score, a classifier with the label
        mlflow.xgboost.save_model(xgboost.Booster(model_file=folder / "model.ubj"), saved, model_format="ubj")
    loaded = mlflow.pyfunc.load_model(str(saved))

    def answers(frame: Any) -> np.ndarray:
        return loaded.predict(frame)

    def file(target: Path) -> None:
        frame = pandas.read_parquet(folder / "rows.parquet")
        frame.assign(score=answers(frame[NAMES]))[["key", "score"]].to_parquet(target)

    frame = pandas.read_parquet(folder / "rows.parquet")[NAMES]
    return _timed(answers, [frame], file, folder / "mlflow.parquet")


def _timed(answers: Any, batches: list[Any], file: Any, target: Path) -> dict[str, Any]:
    answers(batches[0][:1000] if hasattr(batches[0], "iloc") else batches[0])
    begin = time.perf_counter()
    for batch in batches:
        found = answers(batch)
    middle = time.perf_counter()
    file(target)
    seconds = time.perf_counter() - middle
    return {"seconds": seconds, "answers": middle - begin, "check": float(np.asarray(found)[-1])}


PROGRAMS = {
    "keepfit": (keepfit, None),
    "XGBoost, columns of a matrix": (xgboost, XGBOOST),
    "XGBoost, an Arrow table": (xgboost_arrow, XGBOOST),
    "mlflow.pyfunc on pandas": (mlflow, MLFLOW),
}


def main() -> None:
    """Run the benchmark, or one of its programs."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--program", help=argparse.SUPPRESS)
    options.add_argument("--dir", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.program == "prepare":
        return prepare(chosen.dir, chosen.rows)
    if chosen.program:
        return print(json.dumps(globals()[chosen.program](chosen.dir)))
    with tempfile.TemporaryDirectory() as folder:
        own = [__file__, "--rows", str(chosen.rows), "--dir", folder, "--program"]
        subprocess.run([sys.executable, *own, "prepare"], check=True)
        contenders = [
            sidebyside.Contender(name, command)
            for name, (program, packages) in PROGRAMS.items()
            for command in [_command(packages, [*own, program.__name__])]
        ]
        print(f"{chosen.rows:,} rows x {len(NAMES)} features, 300 trees of depth 6, {os.cpu_count()} cores")
        sidebyside.run(contenders, chosen.rounds)
    print("\nfile: Parquet to Parquet")
    sidebyside.report(contenders, "keepfit")
    print("\nrows/s, median of the rounds, and keepfit's as a multiple of each")
    for one in (one for one in contenders if one.found):
        told = "".join(f"{name:>10}{chosen.rows / one.middle(key):>12,.0f}{_times(contenders[0], one, key):7.2f}x"
                       for name, key in (("answers", "answers"), ("file", "seconds")))  # fmt: skip
        print(f"{one.name:32}{told}")


def _times(own: sidebyside.Contender, other: sidebyside.Contender, key: str) -> float:
    """Return how many times faster keepfit is, by the medians."""
    return other.middle(key) / own.middle(key)


def _command(packages: list[str] | None, arguments: list[str]) -> list[str]:
    if packages is None:
        return [sys.executable, *arguments]
    return sidebyside.uv(packages, *arguments)


if __name__ == "__main__":
    main()
