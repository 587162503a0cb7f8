"""Clean models get a clean certificate, whatever they are: no false alarm."""

from __future__ import annotations

import pytest

from keepfit.evidence import Route
from keepfit.project import Project
from keepfit.spec.gates import ROUTES
from keepfit.steps.certifying import certificate_of

from .conftest import made, trained

pytestmark = pytest.mark.slow
BINARY = 'sales.amount.sum(next="7d") > 60'
NUMBER = 'sales.amount.sum(next="7d")'
BANDS = f'{NUMBER}.band([30, 90], labels=("small", "usual", "large"))'
MODELS = {
    "xgboost": f"observe, features, {BINARY}, estimator=XGBoost(n_estimators=60)",
    "logistic": f"observe, features, {BINARY}, estimator=Logistic()",
    "forest": f"observe, features, {BINARY}, estimator=RandomForest(n_estimators=30)",
    "lightgbm": f"observe, features, {BINARY}, estimator=LightGBM(n_estimators=40), training=Training(calibrate='sigmoid')",
    "histogram": f"observe, features, {BINARY}, estimator=HistGradientBoosting(max_iter=40), training=Training(select=Select())",
    "number": f"observe, features, {NUMBER}, estimator=XGBoost(n_estimators=60)",
    "large_number": f"observe, features, {NUMBER} * 1e7, estimator=XGBoost(n_estimators=60)",
    "linear": f"observe, features, {NUMBER}, estimator=Linear()",
    "bounds": f"observe, features, {NUMBER}, estimator=XGBoost(n_estimators=60), training=Training(interval=0.8)",
    "labels": f"observe, features, {BANDS}, estimator=XGBoost(n_estimators=40)",
    "labels_histogram": f"observe, features, {BANDS}, estimator=HistGradientBoosting(max_iter=40)",
    "each_row": f"EachRow(of=sales), features, {BINARY}, estimator=XGBoost(n_estimators=60)",
    "asked": f"""observe, [Input("basket", Float(), past=sales.amount.last()), sales.count(last="7d")], {BINARY},
                 estimator=XGBoost(n_estimators=60)""",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    models = [f'{name} = Model("{name}", {rest})' for name, rest in MODELS.items()]
    return made(tmp_path_factory.mktemp("parity") / "clean", "\n".join(models))


@pytest.mark.parametrize("name", MODELS)
def test_a_clean_model_passes(project: Project, name: str) -> None:
    world = trained(project, name)
    at_training = certificate_of(world.version)
    assert at_training is not None
    assert set(at_training.routes) == set(ROUTES)
    for found in (at_training, world.certificate()):
        verdict = world.verdict(found)
        assert verdict.passed, verdict.reason
        asked = [found.routes[route] for route in ("request", "events")]
        assert found.routes["single"] == Route(1000, 0.0, 0)
        assert asked == [Route(one.rows, 0.0, 0) for one in asked]
        assert (sum(one.rows for one in asked), asked[1].rows > 0) == (1000, True)
