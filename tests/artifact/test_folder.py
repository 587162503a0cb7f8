"""A version's folder: what was written is what is read, or it is refused."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from keepfit import Events, Every, Files, Float, Model, artifact
from keepfit.artifact import Artifact, Interval
from keepfit.errors import RegistryError
from keepfit.spec import codec

sales = Events("sales", Files("s.csv"), entity="id", time="at", columns={"amount": Float()})
churn = Model(
    "churn", Every("1 month", of=sales), [sales.amount.sum(last="30d"), sales.count()], sales.count(next="30d") == 0
)
LEVEL = sales.amount.sum(next="30d").band([1, 9], labels=("low", "usual", "high"))
MADE = Artifact(
    model=churn,
    features=("sales_amount_sum_30d", "sales_count"),
    categories={"channel": ("shop", "web")},
    threshold=0.4375,
    training_base=0.1,
    lineage={"as_of": "2025-06-01T00:00:00+00:00", "tables": {"sales": 3}, "seed": 7},
    profile={"score": {"edges": [0.1, 0.2]}},
)
FILES = {"model.onnx": b"\x08\x08onnx", "model.ubj": b"{trees", "evaluation.json": b"{}"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "versions" / "1"


def test_an_artifact_is_read_as_it_was_written(folder):
    digest = artifact.write(MADE, FILES, folder)
    again = artifact.read(folder, digest)
    assert codec.encode(again.model) == codec.encode(churn)
    for name in ("features", "categories", "threshold", "training_base", "lineage", "profile"):
        assert getattr(again, name) == getattr(MADE, name)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "artifact.json", "profile.json"])


def test_the_same_artifact_has_the_same_digest(tmp_path):
    assert artifact.write(MADE, FILES, tmp_path / "a") == artifact.write(
        MADE, dict(reversed(FILES.items())), tmp_path / "b"
    )


@pytest.mark.parametrize("name", [*FILES, "profile.json", "artifact.json"])
def test_one_changed_byte_in_any_file_is_refused_by_its_name(folder, name):
    digest = artifact.write(MADE, FILES, folder)
    content = bytearray((folder / name).read_bytes())
    place = content.index(b"0.4375") if name == "artifact.json" else len(content) - 1
    content[place] ^= 1
    (folder / name).write_bytes(bytes(content))
    with pytest.raises(RegistryError, match=f"^{name} is not what training wrote") as raised:
        artifact.read(folder, digest)
    assert (raised.value.where, raised.value.fix) == (str(folder), "restore the folder, or roll back")


def test_all_changed_files_are_named(folder):
    digest = artifact.write(MADE, FILES, folder)
    for name in ("model.onnx", "model.ubj"):
        (folder / name).write_bytes(b"other")
    with pytest.raises(RegistryError, match=r"^model.onnx, model.ubj is not what training wrote"):
        artifact.read(folder, digest)


def test_another_versions_digest_is_refused(folder):
    artifact.write(MADE, FILES, folder)
    with pytest.raises(RegistryError, match=r"^artifact.json is not what training wrote"):
        artifact.read(folder, "0" * 64)


@pytest.mark.parametrize("missing", ["artifact.json", "model.onnx", "profile.json"])
def test_a_folder_that_misses_a_file_is_no_artifact(folder, missing):
    digest = artifact.write(MADE, FILES, folder)
    (folder / missing).unlink()
    with pytest.raises(RegistryError, match=f"no model artifact: .*{missing}"):
        artifact.read(folder, digest)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"files": []}'])
def test_a_manifest_that_is_none_is_refused(folder, content):
    folder.mkdir(parents=True)
    (folder / "artifact.json").write_text(content)
    with pytest.raises(RegistryError, match="no model artifact"):
        artifact.read(folder)


def test_a_manifest_of_a_newer_keepfit_is_refused(folder):
    artifact.write(MADE, FILES, folder)
    manifest = json.loads((folder / "artifact.json").read_text())
    manifest["definition"]["model"]["estimator"] = {"is": "Oracle"}
    (folder / "artifact.json").write_text(json.dumps(manifest))
    with pytest.raises(RegistryError, match="no model artifact: 'Oracle'"):
        artifact.read(folder)


def test_nothing_written_by_keepfit_can_be_unpickled(folder):
    artifact.write(MADE, FILES, folder)
    for path in folder.iterdir():
        with pytest.raises((pickle.UnpicklingError, ValueError, KeyError, IndexError, EOFError)):
            pickle.loads(path.read_bytes())


def test_bounds_and_labels_are_a_format_that_an_older_keepfit_refuses_and_the_first_is_read_as_before(folder):
    bounded = replace(MADE, interval=Interval(0.9, 0.25, learnt=False))
    labelled = replace(MADE, model=replace(churn, target=LEVEL))
    for made in (bounded, labelled):
        digest = artifact.write(made, FILES, folder)
        manifest = json.loads((folder / "artifact.json").read_text())
        assert manifest["format"] == 2
        assert artifact.read(folder, digest).interval == made.interval
        # as a keepfit of before wrote it
        (folder / "artifact.json").write_text(json.dumps({**manifest, "format": 1}))
        again = artifact.read(folder)
        assert (again.interval, again.model.labels) == (made.interval, made.model.labels)
    (folder / "artifact.json").write_text(json.dumps({**manifest, "format": 3}))
    with pytest.raises(RegistryError, match="of format 3, this keepfit reads 1 and 2") as raised:
        artifact.read(folder)
    assert "pip install --upgrade keepfit" in raised.value.fix


def test_a_calibration_is_part_of_the_version_and_an_older_keepfit_would_refuse_it(folder):
    import numpy as np

    from keepfit.artifact import Knots, Predictor

    plain = artifact.write(MADE, FILES, folder)
    assert json.loads((folder / "artifact.json").read_text())["format"] == 1
    knots = Knots((0.0, 0.25, 1.0), (0.0, 0.75, 1.0))
    onnx = half()
    digest = artifact.write(replace(MADE, calibration=knots), {**FILES, "model.onnx": onnx}, folder)
    assert digest != plain
    assert artifact.read(folder, digest).calibration == knots
    assert json.loads((folder / "artifact.json").read_text())["format"] == 2
    predictor = Predictor.load(folder)
    matrix = np.array([[0.5], [0.25]], np.float32)
    assert predictor.raw(matrix).tolist() == [0.25, 0.125]
    assert predictor.score(matrix).tolist() == [0.75, 0.375]
    assert Predictor(onnx).score(matrix).tolist() == [0.25, 0.125]


def half() -> bytes:
    """Return a model that answers with half of its only feature."""
    from onnx import TensorProto, helper

    of = helper.make_tensor("of", TensorProto.FLOAT, [1], [0.5])
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, 1])
    made = helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph([helper.make_node("Mul", ["features", "of"], ["score"])], "half", [given], [made], [of])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8).SerializeToString()
