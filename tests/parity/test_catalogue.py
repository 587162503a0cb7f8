"""Skews as they are met in the field: each is planted into one way to an answer, and the certificate finds it.

To add one, add a line to `PLANTED`: what is sabotaged, which route must show it, and how. Nothing else of the version changes,
so that what is found is the skew.
"""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from keepfit import artifact, clock
from keepfit.artifact import Predictor
from keepfit.artifact.predictor import Session
from keepfit.errors import RegistryError
from keepfit.evidence import Parity, Route, as_data, parity_from
from keepfit.kernel.calendar import of_moment
from keepfit.kernel.sweep import sweep_one
from keepfit.stages.features.observe import observe
from keepfit.stages.serving import held, online, requested, scorer, sqlite
from keepfit.steps.certifying import certificate, drawn

from .conftest import START, Certified

pytestmark = pytest.mark.slow
Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Planted:
    """A skew.

    Attributes
    ----------
    sabotage : callable
        Plants it into what the server computes.
    feature : str
        One that must be told as computed otherwise; none if only the answer is another one.
    flips : bool
        Whether some decision must be another one.
    """

    sabotage: Callable[[Patch], None]
    feature: str = ""
    flips: bool = False


def of_events(change: Callable[[Any, Any, Any], tuple[Any, Any, Any]]) -> Callable[[Patch], None]:
    """Return what changes (time, known, values) of an entity's events on their way to the kernel."""

    def sabotage(patch: Patch) -> None:
        def events(own, table, columns):
            return change(*original(own, table, columns))

        original = held.Held.events
        patch.setattr(held.Held, "events", events)

    return sabotage


def of_features(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Patch], None]:
    """Return what changes the features of a request before they are encoded."""

    def sabotage(patch: Patch) -> None:
        def features(own, *asked):
            found = original(own, *asked)
            return found._replace(row={name: values.item() for name, values in change(found.columns).items()})

        original = online.OnlineFeatures.features
        patch.setattr(online.OnlineFeatures, "features", features)

    return sabotage


def of_matrix(change: Callable[[Any, Any, Any], Any]) -> Callable[[Patch], None]:
    """Return what encodes (columns, features, categories) in the place of the server."""

    def sabotage(patch: Patch) -> None:
        def matrix(own, rows):
            found = own.artifact
            return np.concatenate([change(row.columns, found.features, found.categories) for row in rows])

        patch.setattr(scorer.Scorer, "matrix", matrix)

    return sabotage


def of_scorer(change: Callable[[Any], None]) -> Callable[[Patch], None]:
    """Return what changes a version when the server loads it."""

    def sabotage(patch: Patch) -> None:
        def load(own, *asked):
            original(own, *asked)
            change(own)

        original = scorer.Scorer.__init__
        patch.setattr(scorer.Scorer, "__init__", load)

    return sabotage


def replacing(room: Any, name: str, change: Callable[..., Any]) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(room, name, change)


# time


def another_zone(part, moment):
    return of_moment(part, moment + 8 * clock.HOUR if part.name.startswith("hour") else moment)


def closed_at_t(program, time, known, values, moment):
    return sweep_one(program, time, known, values, moment + 1)


def open_at_the_start(time, known, values):
    return time - 1, known, values


def whole_days(time, known, values):
    day = clock.DAY
    return time // day * day, known, values


def local_times(time, known, values):
    return time - 8 * clock.HOUR, None if known is None else known - 8 * clock.HOUR, values


def moments_of_seconds(at, now):
    t = moment_of(at, now)
    return t - clock.DAY if at else t


moment_of = requested._moment


# events


def known_at_once(time, known, values):
    return time, None, values


def in_cents(time, known, values):
    values = values.copy()
    values[0] *= 100
    return time, known, values


def nulls_filled_of(name: str, value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(columns):
        if columns[name].dtype == object:
            columns[name] = np.array([value if columns[name][0] is None else columns[name][0]], object)
        else:
            columns[name] = np.nan_to_num(columns[name], nan=value)
        return columns

    return change


def zeros_missing(columns):
    columns["sales_count_14d"] = np.where(columns["sales_count_14d"] == 0, np.nan, columns["sales_count_14d"])
    return columns


def twice(time, known, values):
    again = lambda one: None if one is None else np.repeat(one, 2, axis=-1)  # noqa: E731
    return again(time), again(known), again(values)


def short_of_the_newest(time, known, values):
    return time[:-1], None if known is None else known[:-1], np.ascontiguousarray(values[:, :-1])


def in_another_order(time, known, values):
    order = np.lexsort((-np.arange(len(time)), time))
    return time[order], None if known is None else known[order], np.ascontiguousarray(values[:, order])


def columns_swapped(time, known, values):
    return time, known, np.ascontiguousarray(values[::-1])


def kept_in_store(which: Callable[[Any, int], Any]) -> Callable[[Patch], None]:
    """Return what lets a store keep only some of what is published, and say that it holds it all."""

    def sabotage(patch: Patch) -> None:
        def replace(own, table, rows, until, *, answers_from, coverage):
            there = which(rows["time"], answers_from)
            kept = {name: values[there] for name, values in rows.items()}
            return original(own, table, kept, until, answers_from=answers_from, coverage=coverage)

        original = sqlite.SQLiteStore.replace
        patch.setattr(sqlite.SQLiteStore, "replace", replace)

    return sabotage


def of_ten_days(time, answers_from):
    return time >= answers_from - 10 * clock.DAY


def of_last_month(time, answers_from):
    return time < answers_from


def stale_profile(own, table, t):
    """Return the first version that the store has of a record: what people were, not what they are."""
    versions = own._records.get(table.name, [])
    return versions[0][1] if versions else None


# features


def single_precision(columns):
    return {
        name: values if values.dtype == object else values.astype(np.float32).astype(np.float64)
        for name, values in columns.items()
    }


def rounded_features(columns):
    return {name: values if values.dtype == object else values.round(1) for name, values in columns.items()}


def two_features_swapped(columns):
    one, other = "sales_amount_sum_7d", "sales_amount_sum_30d"
    return columns | {one: columns[other], other: columns[one]}


def ratios_without_null(columns):
    (ratio,) = (name for name in columns if "_over_" in name)
    return nulls_filled_of(ratio, 0.0)(columns)


def upper_case(columns):
    (label,) = columns["people_segment"]
    return columns | {"people_segment": np.array([label and label.upper()], object)}


# the matrix


def reversed_columns(columns, features, categories):
    return artifact.encode(columns, tuple(reversed(features)), categories)


def unseen_as_the_first(columns, features, categories):
    matrix = artifact.encode(columns, features, categories)
    for name in categories:
        place = features.index(name)
        matrix[0, place] = 0 if np.isnan(matrix[0, place]) else matrix[0, place]
    return matrix


def codes_of_another_training(columns, features, categories):
    return artifact.encode(columns, features, {name: labels[::-1] for name, labels in categories.items()})


def nulls_as_zero(columns, features, categories):
    return np.nan_to_num(artifact.encode(columns, features, categories))


def half_precision(columns, features, categories):
    return artifact.encode(columns, features, categories).astype(np.float16).astype(np.float32)


# the model and the answer


def another_threshold(own):
    own.artifact = dataclasses.replace(own.artifact, threshold=own.artifact.threshold * 0.6)


def not_calibrated(own):
    own._predictor._calibration = None


def inverted(own):
    score = own._predictor.score
    own._predictor = SimpleNamespace(score=lambda matrix: 1 - score(matrix))


def rounded_scores(own, matrix):
    return np.round(answers_of(own, matrix), 3)


answers_of = scorer.Scorer.answers


def no_leading_letter(own, body):
    return entity_of(own, body).lstrip("p")


entity_of = requested._entity


def without_a_feature(patch: Patch) -> None:
    """Leave one feature out of what is computed; the matrix has null in its place."""

    def encode(columns, features, categories):
        return artifact.encode({"people_age": np.array([np.nan])} | columns, features, categories)

    of_features(lambda columns: {name: one for name, one in columns.items() if name != "people_age"})(patch)
    of_matrix(encode)(patch)


def cached(patch: Patch) -> None:
    """Answer every later request of an entity as the first one."""
    held: dict[str, Any] = {}
    patch.setattr(online.OnlineFeatures, "features", lambda own, entity, t, sent=online.NOTHING: held.setdefault(
        entity, features_of(own, entity, t, sent)))  # fmt: skip


features_of = online.OnlineFeatures.features


PLANTED = {
    # time
    "a calendar in another zone": Planted(replacing(online, "of_moment", another_zone), "hour_asia_shanghai"),
    "a window that is closed at t": Planted(replacing(online, "sweep_one", closed_at_t), "sales_amount_sum_7d"),
    "a window that is open at its start": Planted(of_events(open_at_the_start), "sales_amount_sum_7d"),
    "times cut to days": Planted(of_events(whole_days), "sales_time_since_last"),
    "local times taken for UTC": Planted(of_events(local_times), "sales_time_since_last"),
    "an answer as of yesterday": Planted(replacing(requested, "_moment", moments_of_seconds), "sales_time_since_last"),
    # events
    "a late row that counts at once": Planted(of_events(known_at_once), "sales_amount_sum_30d"),
    "another unit": Planted(of_events(in_cents), "sales_amount_sum_30d", flips=True),
    "events counted twice": Planted(of_events(twice), "sales_count_14d"),
    "the newest event is not there yet": Planted(of_events(short_of_the_newest), "sales_count_14d"),
    "events of one instant in another order": Planted(of_events(in_another_order), "sales_amount_last"),
    "two columns of events swapped": Planted(of_events(columns_swapped), "sales_amount_sum_30d"),
    "a store that forgets too early": Planted(kept_in_store(of_ten_days), "sales_amount_sum_30d"),
    "a store that was not filled again": Planted(kept_in_store(of_last_month), "sales_amount_sum_30d"),
    "a stale profile of people": Planted(replacing(held.Held, "record", stale_profile), "people_age"),
    # features
    "a null filled with zero": Planted(of_features(nulls_filled_of("people_age", 0.0)), "people_age"),
    "a null label as text": Planted(of_features(nulls_filled_of("people_segment", "None")), "people_segment"),
    "zero taken for missing": Planted(of_features(zeros_missing), "sales_count_14d"),
    "a ratio without null": Planted(of_features(ratios_without_null), "_over_"),
    "features cast to float32": Planted(of_features(single_precision), "sales_amount_sum_30d"),
    "features rounded": Planted(of_features(rounded_features), "sales_price_max_30d"),
    "two features swapped": Planted(of_features(two_features_swapped), "sales_amount_sum_30d"),
    "a feature that is left out": Planted(without_a_feature, "people_age"),
    "labels in another case": Planted(of_features(upper_case), "people_segment"),
    # the matrix
    "columns in another order": Planted(of_matrix(reversed_columns), flips=True),
    "an unseen label taken for the first": Planted(of_matrix(unseen_as_the_first)),
    "codes of another training": Planted(of_matrix(codes_of_another_training)),
    "nulls encoded as zero": Planted(of_matrix(nulls_as_zero)),
    "a matrix cast to float16": Planted(of_matrix(half_precision)),
    # the model and the answer
    "another threshold": Planted(of_scorer(another_threshold), flips=True),
    "a calibration that is left out": Planted(of_scorer(not_calibrated)),
    "the probability of the other class": Planted(of_scorer(inverted), flips=True),
    "scores rounded to three digits": Planted(replacing(scorer.Scorer, "answers", rounded_scores)),
    "keys that lose their first letter": Planted(replacing(requested, "_entity", no_leading_letter)),
    "answers cached by entity": Planted(cached, "sales_amount_sum_30d"),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_planted_skew_is_found(churn: Certified, monkeypatch: Patch, planted: Planted) -> None:
    planted.sabotage(monkeypatch)
    found = churn.certificate()
    route = found.routes["request"]
    verdict = churn.verdict(found)
    assert not verdict.passed
    assert verdict.evidence in ("parity.request", "parity.events")
    assert not route.skewed if not planted.feature else any(planted.feature in name for name in route.skewed), route
    assert route.flipped > 0 or not planted.flips
    assert route.concerned > 0
    assert route.worst[0].entity
    # no other way has it
    assert found.routes["single"].concerned == 0


# the other ways


def native(world: Certified, *, rounds: int = 0, calibrated: bool = True, nulls: bool = True, **words: Any) -> Any:
    """Return the library's own predictor, as the version's files give it, or with something forgotten."""
    import xgboost

    found = artifact.read(world.version.folder)
    booster = xgboost.Booster(model_file=str(world.version.folder / "model.ubj"))
    types = ["c" if name in found.categories else "q" for name in found.features]
    wanted = (0, booster.num_boosted_rounds() - rounds)

    def way(matrix: Any) -> Any:
        rows = matrix if nulls else np.nan_to_num(matrix)
        data = xgboost.DMatrix(rows, feature_types=types, enable_categorical=True)
        score = np.asarray(booster.predict(data, iteration_range=wanted, **words), np.float64)
        return found.calibration(score) if calibrated and found.calibration else score

    return way


FORGOTTEN: dict[str, dict[str, Any]] = {
    "the last rounds": {"rounds": 5},
    "the calibration": {"calibrated": False},
    "what null is": {"nulls": False},
    "the link": {"output_margin": True},
}


@pytest.mark.parametrize("words", FORGOTTEN.values(), ids=FORGOTTEN)
def test_a_predictor_that_forgets_something_is_found(churn: Certified, words: dict[str, Any]) -> None:
    found = churn.certificate(native(churn, **words))
    assert not churn.verdict(found).passed
    assert found.routes["native"].largest_difference > 1e-4
    assert all(requests_are_clean(found))


def test_a_batch_whose_rows_lean_on_each_other_is_found(churn: Certified, monkeypatch: Patch) -> None:
    def scaled_by_the_batch(own: Session, matrix: Any) -> Any:
        return original(own, matrix - np.nan_to_num(matrix).mean(axis=0))

    original = Session._run
    monkeypatch.setattr(Session, "_run", scaled_by_the_batch)
    found = churn.certificate(native(churn))
    assert {name for name, one in found.routes.items() if one.concerned} == set(found.routes)
    assert found.routes["single"].largest_difference > 1e-4


def requests_are_clean(found: Parity) -> list[bool]:
    """Return whether the rows asked of the server, 1,000 of both kinds, are answered as the batch answers them."""
    asked = [found.routes[name] for name in ("request", "events")]
    return [*(one == Route(one.rows, 0.0, 0) for one in asked), sum(one.rows for one in asked) == 1000]


def test_another_model_file_is_found(churn: Certified, older: Path, monkeypatch: Patch) -> None:
    def load(own: Any) -> None:
        own._predictor = Predictor.load(older)

    of_scorer(load)(monkeypatch)
    found = churn.certificate(native(churn))
    assert churn.verdict(found).evidence in ("parity.request", "parity.events")
    assert not found.routes["request"].skewed
    assert found.routes["request"].largest_difference > 1e-3


def test_a_version_whose_file_was_exchanged_gets_no_certificate(churn: Certified, older: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exchanged"
    shutil.copytree(churn.version.folder, folder)
    shutil.copy(older / "model.onnx", folder / "model.onnx")
    with pytest.raises(RegistryError, match=r"model\.onnx is not what training wrote"):
        certificate(churn.snapshot, folder, churn.version.digest)


# what is told


def test_without_a_skew_the_same_version_passes(churn: Certified) -> None:
    found = churn.certificate(native(churn))
    assert churn.verdict(found).passed
    assert found.routes["single"] == Route(1000, 0.0, 0)
    assert all(requests_are_clean(found))
    assert (found.population, found.from_at < found.to_at) == (len(everything(churn)), True)


def test_the_worst_rows_are_told_with_what_both_ways_saw(churn: Certified, monkeypatch: Patch) -> None:
    of_events(in_cents)(monkeypatch)
    found = churn.certificate()
    assert parity_from(json.loads(json.dumps(as_data(found)))) == found
    worst = found.routes["request"].worst
    assert len(worst) == 5
    there, here = worst[0].features["sales_amount_sum_30d"]
    assert here == pytest.approx(100 * there)
    threshold = artifact.read(churn.version.folder).threshold
    assert (worst[0].expected >= threshold) != (worst[0].found >= threshold)
    reason = churn.verdict(found).reason
    assert "decisions flipped (request)" in reason or "decisions flipped (events)" in reason
    assert "computed otherwise" in reason


def test_a_refused_request_says_why(churn: Certified, monkeypatch: Patch) -> None:
    monkeypatch.setattr(requested, "_entity", no_leading_letter)
    found = churn.certificate().routes["request"]
    assert (found.largest_difference, found.flipped, found.skewed) == (math.inf, found.rows, {})
    assert found.refused.startswith("nothing is known of who")
    assert found.refused in churn.verdict(churn.certificate()).reason


def everything(world: Certified) -> Any:
    model = world.project.model()
    return observe(model, world.snapshot, until=world.snapshot.as_of)


def test_the_rows_are_of_the_newest_moments(churn: Certified) -> None:
    rows, every = drawn(churn.project.model(), churn.snapshot).rows, everything(churn)
    assert len(rows) == 1000 < len(every)
    assert rows.t.max() == every.t.max()
    newest = np.sort(every.t)[-1000]
    assert rows.t.min() == newest
    assert len(set(rows.keys())) == 62


def test_with_few_rows_all_of_them_are_compared(churn: Certified) -> None:
    early = dataclasses.replace(churn.snapshot, as_of=START + 10 * clock.DAY)
    found = certificate(early, churn.version.folder, churn.version.digest)
    assert found.routes["single"].rows == found.population
    assert found.routes["request"].rows + found.routes["events"].rows == found.population
    assert 0 < found.population < 1000
    nothing = dataclasses.replace(churn.snapshot, as_of=START - clock.DAY)
    none = certificate(nothing, churn.version.folder, churn.version.digest)
    assert none.routes == {}
    assert "no certificate" in churn.verdict(none).reason
