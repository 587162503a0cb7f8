"""Requests that have arrived together are answered together: one call of the model and one commit of the log for all.

Each computes its features in its own turn. The last step is put behind the turns of all that have arrived, so that nobody
waits for others to come: alone, a request is answered at once; under load, groups form by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from keepfit.stages.serving.answering import Asked, answered
from keepfit.stages.serving.laps import Lap, laps_of_task, lasting
from keepfit.stages.serving.scorer import Scorer
from keepfit.stages.serving.service import Service
from keepfit.stages.serving.told import Told


class Waiting(NamedTuple):
    """A request whose features are there."""

    asked: Asked
    laps: list[Lap]
    answer: asyncio.Future[Told]


class Group:
    """The requests of one server that wait for the model.

    Parameters
    ----------
    service : Service
        Its prediction log is written to before anyone is answered.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._waiting: dict[tuple[Scorer, bool], list[Waiting]] = {}

    async def answer(self, scorer: Scorer, asked: Asked, *, explain: bool) -> Told:
        """Return the answer; it is in the outbox then. Raises what `answered` does."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._answer_all)
        one = Waiting(asked, laps_of_task(), loop.create_future())
        self._waiting.setdefault((scorer, explain), []).append(one)
        return await one.answer

    def _answer_all(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for (scorer, explain), group in waiting.items():
            self._answer(scorer, group, explain=explain)

    def _answer(self, scorer: Scorer, group: Sequence[Waiting], *, explain: bool) -> None:
        with lasting() as laps:
            try:
                found = answered(self._service, scorer, [each.asked for each in group], explain=explain)
            except Exception as error:
                for each in group:
                    if not each.answer.done():
                        each.answer.set_exception(error)
                return
        for each, answer in zip(group, found, strict=True):
            each.laps.extend(laps)
            if not each.answer.done():  # else the client has left
                each.answer.set_result(answer)
