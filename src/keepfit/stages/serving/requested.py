"""What a request for a prediction asks: which entity, at which moment, with which inputs of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from keepfit import clock
from keepfit.errors import RequestError, did_you_mean
from keepfit.rows.contract import entity_key
from keepfit.spec.columns import Value
from keepfit.stages.serving.online import Features
from keepfit.stages.serving.scorer import Scorer
from keepfit.stages.serving.turns import turns
from keepfit.stages.serving.unknown import nothing_known
from keepfit.stages.serving.wire import Body

LARGEST = 2**63 - 1


class Requested(NamedTuple):
    """One entity at one moment, as a request asks for it.

    Attributes
    ----------
    key : text or number
        The entity as it was sent.
    entity : str
        The entity as the lake has it.
    t : int
        Microseconds UTC.
    named : bool
        Whether the request names the moment; else it is now.
    sent : dict
        The request-time inputs, typed.
    """

    key: Any
    entity: str
    t: int
    named: bool
    sent: dict[str, Value]


class TooEarly(RequestError):
    """The online store does not hold what a prediction at this moment needs."""

    def __init__(self, t: int, earliest: int, place: str) -> None:
        what = f"the server knows what predictions need from {clock.show(earliest)} on, not at {clock.show(t)}"
        super().__init__(what, where=f"{place}at", fix="leave `at` out, or use `keepfit predict --as-of`")


def requested(scorer: Scorer, body: Body, now: int) -> Requested:
    """Return what one object of a request asks for.

    Raises
    ------
    RequestError
        422 with the name of the field that does not fit.
    """
    key = scorer.table.entity
    _check_names(body, (key, "at", *scorer.inputs))
    at = body.get("at")
    return Requested(body[key], _entity(scorer, body), _moment(at, now), at is not None, _sent(scorer, body))


async def observed(scorer: Scorer, one: Requested) -> Features:
    """Return the features of what a request asks for; while a read waits for the network, other requests go on.

    Raises
    ------
    TooEarly
        As `read` does.
    """
    return await asyncio.to_thread(read, scorer, one) if scorer.remote else read(scorer, one)


async def all_observed(scorer: Scorer, asked: Sequence[tuple[int, Requested]]) -> list[Features]:
    """Return the features of all that a list asks for, each at its place; other requests go on meanwhile.

    Raises
    ------
    TooEarly
        As `read` does.
    """
    if scorer.remote:
        return await asyncio.to_thread(lambda: [read(scorer, one, f"[{at}].") for at, one in asked])
    return [read(scorer, one, f"[{at}].") async for at, one in turns(asked)]


def read(scorer: Scorer, one: Requested, place: str = "") -> Features:
    """Return the features of what a request asks for, in a list at a place: `[3].`.

    Raises
    ------
    TooEarly
        If what was read does not reach back far enough for the moment that the request names.
    """
    found = scorer.features(one.entity, one.t, one.sent)
    if one.named and one.t < found.answers_from:
        raise TooEarly(one.t, found.answers_from, place)
    return found


def as_asked(scorer: Scorer, one: Requested) -> Requested:
    """Return a request, which fits the champion, as a challenger takes it: with the inputs that it knows."""
    return one._replace(sent={name: value for name, value in one.sent.items() if name in scorer.inputs})


def unknown(scorer: Scorer, one: Requested) -> RequestError | None:
    """Return why an entity of which nothing is known is not predicted; None if it is, from no history."""
    needed = scorer.stand_ins
    if needed is not None and needed <= one.sent.keys():
        return None
    return nothing_known(scorer.artifact.model, one.entity, needed, one.sent)


def about(scorer: Scorer, one: Requested, request_id: str) -> dict[str, Any]:
    """Return what an answer says before the prediction: who answers, and what was asked."""
    return {
        "model": scorer.pointer.model,
        "version": scorer.pointer.version,
        "request_id": request_id,
        scorer.table.entity: one.key,
        "at": moment_text(one.t),
    }


def moment_text(t: int) -> str:
    """Return microseconds UTC as RFC 3339 has it."""
    return clock.from_micros(t).isoformat().replace("+00:00", "Z")


def _check_names(body: Body, known: tuple[str, ...]) -> None:
    key = known[0]
    if key not in body:
        raise RequestError(f"{key!r} is missing", where=key, fix=f'send {{"{key}": <key>}}')
    for name in body:
        if name not in known:
            raise RequestError(f"unknown field {name!r}", where=name, fix=did_you_mean(name, known))


def _sent(scorer: Scorer, body: Body) -> dict[str, Value]:
    """Return the request-time inputs of a body under their contracts."""
    sent: dict[str, Value] = {}
    for name, declared in scorer.inputs.items():
        if name in body:
            try:
                sent[name] = declared.column.parse(body[name])
            except ValueError as error:
                fix = f"send {name} as {scorer.pointer.model} declares it, or leave it out"
                raise RequestError(f"{name} {error}", where=name, fix=fix) from None
    return sent


def _entity(scorer: Scorer, body: Mapping[str, Any]) -> str:
    raw, where = body[scorer.table.entity], scorer.table.entity
    if not isinstance(raw, str | int | float) or isinstance(raw, bool):
        found = "null" if raw is None else "a truth value"
        raise RequestError(f"{where} is {found}", where=where, fix="send a text or a number")
    if isinstance(raw, int) and abs(raw) > LARGEST:
        raise RequestError(f"{where} is beyond 64 bits", where=where, fix="send it as a text")
    return entity_key(scorer.table, raw)


def _moment(at: object, now: int) -> int:
    if at is None:
        return now
    try:
        t = clock.to_micros(clock.parse_moment(_text(at)))
    except (ValueError, OverflowError) as error:
        raise RequestError(
            f"at: {error}", where="at", fix="write 2025-06-01T00:00:00Z, or leave it out for now"
        ) from None
    if t > now:
        what = f"at {clock.show(t)} lies ahead of {clock.show(now)}; what happens until then is not known"
        raise RequestError(what, where="at", fix="leave `at` out for now")
    return t


def _text(at: object) -> str:
    if not isinstance(at, str):
        raise ValueError("is no text")
    return at
