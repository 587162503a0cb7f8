"""The peers of bench/serving.py: one worker each, POST one record of 30 numbers, the same XGBoost model.

    bare     uvicorn, msgspec and ONNX Runtime, and nothing else: what an answer costs at least
    fastapi  FastAPI, pydantic and XGBoost on uvicorn
    bento    BentoML
    mlflow   `mlflow models serve`

Usage: serving.py PEER FOLDER PORT. FOLDER holds model.ubj, model.onnx and row.json. The process becomes the server.
"""

import json
import os
import sys
from pathlib import Path

NAMES = [f"x{place:02d}" for place in range(30)]
os.environ |= {
    "BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1",
}  # fmt: skip


def bare(folder: Path):
    import msgspec
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
    output, name = [session.get_outputs()[-1].name], session.get_inputs()[0].name
    Row = msgspec.defstruct("Row", [(name, float) for name in NAMES], gc=False)
    decode, encode, as_tuple = msgspec.json.Decoder(Row).decode, msgspec.json.encode, msgspec.structs.astuple

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        found = session.run(output, {name: np.array([as_tuple(decode(body))], np.float32)})[0]
        answer = encode({"score": float(found.reshape(1, -1)[0, -1])})
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app


def fastapi(folder: Path):
    import numpy as np
    import xgboost
    from fastapi import FastAPI
    from pydantic import create_model

    booster = xgboost.Booster({"nthread": 1}, model_file=folder / "model.ubj")
    Row = create_model("Row", **{name: (float, ...) for name in NAMES})
    app = FastAPI()

    @app.post("/predict")
    async def predict(row: Row) -> dict[str, float]:
        matrix = np.array([[getattr(row, name) for name in NAMES]], np.float32)
        return {"score": float(booster.inplace_predict(matrix)[0])}

    return app


def serve_bento(folder: Path, port: str) -> None:
    os.environ["MODEL"] = str(folder / "model.ubj")
    os.chdir(Path(__file__).parent)
    command = ["bentoml", "serve", "serving_bento:Model", "--port", port, "--host", "127.0.0.1"]
    os.execvp(command[0], command)


def serve_mlflow(folder: Path, port: str) -> None:
    saved = folder / "mlflow"
    if not saved.exists():
        import mlflow
        import pandas as pd
        import xgboost
        from mlflow.models import infer_signature

        model, row = xgboost.XGBClassifier(), pd.DataFrame([json.loads((folder / "row.json").read_text())])
        model.load_model(folder / "model.ubj")
        mlflow.xgboost.save_model(model, saved, signature=infer_signature(row, model.predict(row)))
    command = ["mlflow", "models", "serve", "-m", str(saved), "-p", port, "--env-manager", "local", "--workers", "1"]
    os.execvp(command[0], command)


def serve_uvicorn(app, port: str) -> None:
    import uvicorn

    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error", access_log=False)


if __name__ == "__main__":
    peer, folder, port = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if peer == "bento":
        serve_bento(folder, port)
    elif peer == "mlflow":
        serve_mlflow(folder, port)
    else:
        serve_uvicorn({"bare": bare, "fastapi": fastapi}[peer](folder), port)
