"""The BentoML service of bench/peers/serving.py; MODEL in the environment names the file."""

import os

import bentoml
import pandas as pd
import xgboost


@bentoml.service(workers=1)
class Model:
    """One XGBoost classifier."""

    def __init__(self) -> None:
        self.model = xgboost.XGBClassifier()
        self.model.load_model(os.environ["MODEL"])
        self.model.set_params(n_jobs=1)

    @bentoml.api
    def predict(self, row: dict[str, float]) -> dict:
        """Answer one record."""
        return {"score": float(self.model.predict_proba(pd.DataFrame([row]))[0, 1])}
