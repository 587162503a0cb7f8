"""Requests that have arrived together are answered together: one call of the model and one commit of the log for all.

The last step of each is put behind the turns of all that have arrived, so that nobody waits for others to come: alone, a
request is answered at once; under load, groups form by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Generic, TypeVar

from keepfit.stages.serving.patience import Busy, patiently

Kind = TypeVar("Kind", bound=Hashable)
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Group(Generic[Kind, Item, Answer]):
    """Those who wait for the last step.

    Parameters
    ----------
    answered : callable
        Returns an answer for each item of some that are of one kind, in their order. What it raises, all of them get.
    """

    def __init__(self, answered: Callable[[Kind, Sequence[Item]], Sequence[Answer]]) -> None:
        self._answered = answered
        self._waiting: dict[Kind, list[tuple[Item, asyncio.Future[Answer]]]] = {}

    async def answer(self, kind: Kind, item: Item) -> Answer:
        """Return the answer to one item, or raise what went wrong; while others are writing, those who wait gather."""
        try:
            return await self._join(kind, item)
        except Busy:
            return await patiently(partial(self._join, kind, item))

    def _join(self, kind: Kind, item: Item) -> asyncio.Future[Answer]:
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._answer_all)
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.setdefault(kind, []).append((item, answer))
        return answer

    def _answer_all(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for kind, some in waiting.items():
            try:
                found = self._answered(kind, [item for item, _ in some])
            except Exception as error:
                for _, future in some:
                    if not future.done():  # else the client has left
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(some, found, strict=True):
                if not future.done():
                    future.set_result(answer)
