"""What an answer says, as clients and the prediction log get it: one wording for entities and for ready rows."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from keepfit.answers import BOUNDS, LABEL, SCORE, SCORES, Answers, chosen, score_of
from keepfit.artifact import Artifact
from keepfit.spec.model import CLASSIFICATION
from keepfit.stages.serving.wire import encode

REQUEST, ROWS = "request", "rows"
Told = dict[str, Any]


def told(found: Artifact, answers: Answers) -> list[Told]:
    """Return the fields of each answer: `score` and, as the model has them, `low` and `high`, `label` and `scores`, `positive`."""
    labels = found.model.labels
    if labels:
        rows = zip(chosen(answers).tolist(), answers.tolist(), strict=True)
        return [{SCORE: row[at], LABEL: labels[at], SCORES: dict(zip(labels, row, strict=True))} for at, row in rows]
    scores = score_of(answers).tolist()
    if answers.ndim > 1:
        bounds = answers[:, 1:].tolist()
        return [{SCORE: one, **dict(zip(BOUNDS, own, strict=True))} for one, own in zip(scores, bounds, strict=True)]
    if found.model.task == CLASSIFICATION:
        return [{SCORE: one, "positive": one >= found.threshold} for one in scores]
    return [{SCORE: one} for one in scores]


def request_id(now: int) -> str:
    """Return a new id, 30 hex digits; ids of later requests sort after those of earlier ones."""
    return f"{now:014x}{secrets.token_hex(8)}"


def log_row(found: Artifact, version: str, said: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return an answer as a row of `tables.PREDICTIONS`; `more` names its request_id, entity, t, origin and features."""
    return {
        "model": found.model.name,
        "version": version,
        "threshold": found.threshold,
        **said,
        SCORES: encode(said[SCORES]).decode() if SCORES in said else None,
        **more,
    }
