"""From features to logged answers: some observations, one call of the model, one commit of the prediction log."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any, NamedTuple

from keepfit.stages.serving.laps import lap
from keepfit.stages.serving.online import Features
from keepfit.stages.serving.requested import Requested, about
from keepfit.stages.serving.scorer import Scorer
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.told import REQUEST, Told, log_row, told
from keepfit.stages.serving.wire import already_written, encode


class Asked(NamedTuple):
    """An observation to be answered.

    Attributes
    ----------
    one : Requested
        What was asked.
    features : Features
        Of the entity at the moment.
    request_id : str
        Under which the answer is logged.
    origin : str
        request, canary or shadow.
    """

    one: Requested
    features: Features
    request_id: str
    origin: str = REQUEST


def answered(service: Service, scorer: Scorer, asked: Sequence[Asked], *, explain: bool) -> list[Told]:
    """Return the answer to each; they are in the outbox when this returns.

    A row's answer does not depend on the others, to the bit. May be called from any thread.

    Raises
    ------
    RequestError
        422 if they are to be explained and the version cannot; nothing is logged then.
    """
    began = perf_counter()
    matrix = scorer.matrix([each.features for each in asked])
    said = told(scorer.artifact, scorer.answers(matrix))
    explained: Sequence[Told] = scorer.explained(matrix) if explain else [{}] * len(asked)
    began = lap("model", began)
    answers, log = [], []
    for each, words, explanation in zip(asked, said, explained, strict=True):
        features = encode(each.features.row)  # null is NaN in it, and null again in JSON
        start = about(scorer, each.one, each.request_id)
        written = {"features": already_written(features), **explanation}
        answers.append({**start, **words, **_threshold(scorer), **written})
        log.append(_logged(scorer, each, words, features.decode()))
    service.outbox.append_all(log)
    lap("log", began)
    return answers


def count(service: Service, scorer: Scorer, asked: Sequence[Asked], answers: Sequence[Told]) -> None:
    """Count one request's predictions; to be called by the thread that serves."""
    counted = service.metrics.of(scorer.artifact, scorer.pointer.version)
    for each, answer in zip(asked, answers, strict=True):
        counted.predicted(answer["score"], each.features.row)


def _threshold(scorer: Scorer) -> dict[str, float]:
    return {"threshold": scorer.artifact.threshold} if scorer.classifies else {}


def _logged(scorer: Scorer, asked: Asked, words: Told, features: str) -> dict[str, Any]:
    return log_row(
        scorer.artifact,
        scorer.pointer.version,
        words,
        request_id=asked.request_id,
        entity=asked.one.entity,
        t=asked.one.t,
        origin=asked.origin,
        features=features,
    )
