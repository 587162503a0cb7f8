"""What is held of alerts and what is still to be said, in one SQLite file of the state folder.

What a step of the ledger changes and the messages that follow from it are one commit, with the step's number: a loop that is killed
before it takes the step up again, one that is killed after it does not. A message is tried until its channel took it, so it comes
at least once; its id tells a second one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from keepfit import clock
from keepfit.evidence import Message, as_data, from_data
from keepfit.stages.alerting.follow import Held, at_least

SCHEMA = """
create table if not exists held (model text primary key, step integer, content text);
create table if not exists delivery (
    place integer primary key, id text, channel text, content text, attempts integer default 0, due_at integer default 0,
    sent_at integer, problem text default '', unique (id, channel));
"""
LEASE = 600 * clock.SECOND
"""How long a message is one sender's, who may have been killed."""
KEPT = 30 * clock.DAY
"""How long what was sent is kept, to be listed."""
FIRST_PAUSE, LONGEST_PAUSE = 60 * clock.SECOND, 6 * clock.HOUR


@dataclass(frozen=True)
class Waiting:
    """A message for a channel: sent, or to be sent again.

    Attributes
    ----------
    due_at, sent_at : int or None
        When it is tried next, and when it was taken; None of each where there is no such moment.
    problem : str
        Why it was not taken the last time.
    """

    place: int
    channel: str
    message: Message
    attempts: int
    due_at: int | None
    sent_at: int | None
    problem: str


class Outbox:
    """The file.

    Parameters
    ----------
    path : Path
        Made with its folder at the first commit.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def held(self, model: str) -> tuple[int | None, Held]:
        """Return the last step of the ledger that was followed, None before the first, and what is held after it."""
        with self._opened() as connection:
            found = connection.execute("select step, content from held where model = ?", (model,)).fetchone()
        return (found[0], from_data(Held, json.loads(found[1]))) if found else (None, Held())

    def commit(self, model: str, step: int, held: Held, said: Sequence[Message], channels: Mapping[str, str]) -> None:
        """Keep what is held after a step, and what is to be said of it, in one transaction.

        Parameters
        ----------
        channels : mapping of str to str
            The name of each channel -> the least severity that it is told.
        """
        to_send = [
            (one.id, name, json.dumps(as_data(one)))
            for told in said
            for name, severity in channels.items()
            if (one := at_least(told, severity)) is not None
        ]
        with self._opened() as connection:
            content = json.dumps(as_data(held))
            connection.execute("insert or replace into held values (?, ?, ?)", (model, step, content))
            connection.executemany("insert or ignore into delivery (id, channel, content) values (?, ?, ?)", to_send)

    def claim(self, channel: str, now: int) -> Waiting | None:
        """Return the oldest message of a channel that is due; for ten minutes it is nobody else's."""
        oldest = "select min(place) from delivery where channel = ? and sent_at is null and due_at <= ?"
        statement = (
            f"update delivery set due_at = ?, problem = '', attempts = attempts + 1 where place = ({oldest})"
            " returning place, channel, content, attempts, due_at, sent_at, problem"
        )
        with self._opened() as connection:
            found = connection.execute(statement, (now + LEASE, channel, now)).fetchone()
        return _waiting(found) if found else None

    def sent(self, one: Waiting, now: int, remark: str = "") -> None:
        """Note that a channel took a message, and forget what it took long ago."""
        with self._opened() as connection:
            connection.execute("update delivery set sent_at = ?, problem = ? where place = ?", (now, remark, one.place))
            connection.execute("delete from delivery where sent_at < ?", (now - KEPT,))

    def put_off(self, one: Waiting, now: int, problem: str, *, pause: int = 0, all_of_it: bool = False) -> None:
        """Note why a channel did not take a message, and when it is tried again: after twice the time of before.

        Parameters
        ----------
        all_of_it : bool
            Whether the channel is the reason, so that its other messages wait as well, and keep their order.
        """
        due = now + max(pause, min(FIRST_PAUSE << min(one.attempts - 1, 20), LONGEST_PAUSE))
        with self._opened() as connection:
            connection.execute("update delivery set due_at = ?, problem = ? where place = ?", (due, problem, one.place))
            if all_of_it:
                others = "update delivery set due_at = max(due_at, ?) where channel = ? and sent_at is null"
                connection.execute(others, (due, one.channel))

    def make_due(self) -> None:
        """Make all due that was put off; what somebody is sending just now stays theirs."""
        with self._opened() as connection:
            connection.execute(
                "update delivery set due_at = 0 where sent_at is null and (problem != '' or attempts = 0)"
            )

    def waiting(self) -> list[Waiting]:
        """Return every message that no channel took yet, the oldest first."""
        return self._found("sent_at is null order by place")

    def taken(self) -> list[Waiting]:
        """Return the messages that were sent in the last thirty days, the oldest first."""
        return self._found("sent_at is not null order by sent_at, place")

    def alerts(self) -> dict[str, Held]:
        """Return what is held of every model."""
        with self._opened() as connection:
            found = connection.execute("select model, content from held order by model").fetchall()
        return {model: from_data(Held, json.loads(content)) for model, content in found}

    def _found(self, condition: str) -> list[Waiting]:
        columns = "place, channel, content, attempts, due_at, sent_at, problem"
        with self._opened() as connection:
            return [_waiting(row) for row in connection.execute(f"select {columns} from delivery where {condition}")]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Give a connection within one transaction."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as connection:
            connection.execute("pragma journal_mode = wal")
            connection.executescript(SCHEMA)
            connection.execute("begin immediate")
            try:
                yield connection
            except BaseException:
                connection.execute("rollback")
                raise
            connection.execute("commit")


def _waiting(row: Sequence[object]) -> Waiting:
    place, channel, content, attempts, due_at, sent_at, problem = row
    said = from_data(Message, json.loads(str(content)))
    return Waiting(place, channel, said, attempts, due_at or None, sent_at, problem)  # type: ignore[arg-type]
