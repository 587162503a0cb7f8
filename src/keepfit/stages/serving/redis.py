"""The online store in Redis: for servers on several machines. The one home of redis.

What the lake says of a table is one hash, entity -> block or versions, written under a name of its own. Then a script puts
that name in the place of the one before, in one step with all that goes with it. A read is one script too: one round trip,
and an answer sees everything from before a publication, or everything from after it.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

import numpy as np

from keepfit import clock
from keepfit.engines.protocol import Column
from keepfit.errors import MissingExtra, ServingError
from keepfit.spec.columns import Value
from keepfit.spec.tables import Events, Records
from keepfit.stages.serving import redis_scripts as scripts
from keepfit.stages.serving.coverage import Coverage, coverage_from, coverage_text
from keepfit.stages.serving.held import Held, Record
from keepfit.stages.serving.packing import blocks, records
from keepfit.stages.serving.posted import Kept
from keepfit.stages.serving.receipts import KEPT, Receipt, another_body
from keepfit.stages.serving.store import EVER, Row

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError:
    raise MissingExtra("redis", "serving.store") from None

READ_S, WRITE_S = 0.5, 10.0
"""How long a read holds up its thread at most, and a write."""
AGAIN_S = 1.0
"""How long nobody asks a Redis that did not answer."""
UNFINISHED_S = 3600
"""How long rows are kept that a publication wrote and did not put in their place, for it was killed."""
CHUNK = 500
BIAS = 2**63


class StoreAway(ServingError):
    """Redis does not answer, or refuses."""

    http_status = 503


class RedisStore:
    """An online store in Redis, for any number of servers on any number of machines.

    A Redis that is away is a `StoreAway`, and asked again `AGAIN_S` later.

    Parameters
    ----------
    url : str
        redis://host:port/database, rediss:// with TLS, unix:///path.
    name : str
        What tells this model's keys from those of others in the database.
    """

    remote = True

    def __init__(self, url: str, name: str) -> None:
        self._where, self._prefix = _shown(url), f"keepfit:{{{name}}}:"
        self._reader, self._writer = _client(url, READ_S), _client(url, WRITE_S)
        self._read = self._reader.register_script(scripts.READ)
        self._post = self._writer.register_script(scripts.POST)
        self._put = self._writer.register_script(scripts.PUT)
        self._posted = Kept()
        self._away: tuple[float, str] = 0.0, ""

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()
        self._writer.close()

    def replace(
        self,
        table: Events,
        rows: Mapping[str, Column],
        until: int,
        *,
        answers_from: int = EVER,
        coverage: Coverage | None = None,
    ) -> int:
        """Put the lake's rows in the place of all rows before `until` and of the lake's earlier ones."""
        found = ((entity, content) for entity, _, _, content in blocks(table, rows))
        columns = json.dumps([name for name in rows if name not in ("entity", "time", "known")])
        count, times = len(rows["time"]), np.asarray(rows["time"])
        come = times[times < until]  # a row dated ahead says nothing about what has come
        reached = _text(int(come.max())) if len(come) else ""
        self._publish(scripts.BLOCK, table.name, found, columns, _text(until), reached, (count, answers_from, coverage))
        return count

    def append(self, table: Events, row: Mapping[str, Value]) -> None:
        """Add one row of a request."""
        self.append_all([(table, row)])

    def append_all(self, rows: Sequence[Row], receipt: Receipt | None = None) -> bool:
        """Add all rows of a request, once."""
        said: list[Any] = ["", "", 0] if receipt is None else list(receipt)
        said += [KEPT, KEPT // clock.SECOND]
        for table, row in rows:
            at = _text(int(cast("int", row["time"])))
            said += [row[table.entity], table.name, f"{table.name}\n{json.dumps(row)}", at]
        with self._reached():
            done = self._post(keys=[self._prefix], args=said)
        if done == scripts.ANOTHER_BODY:
            raise another_body()
        return bool(done)

    def replace_records(
        self,
        table: Records,
        rows: Mapping[str, Column],
        *,
        answers_from: int = EVER,
        coverage: Coverage | None = None,
    ) -> int:
        """Put these records in the place of the table's."""
        found = records(rows)
        held = ((entity, json.dumps(each).encode()) for entity, each in found.items())
        self._publish(scripts.RECORD, table.name, held, "", "", "", (len(found), answers_from, coverage))
        return len(found)

    def coverage(self, name: str) -> Coverage | None:
        """Return what was published of a table; None if nothing was."""
        with self._reached():
            found = self._reader.hget(f"{self._prefix}covered", name)
        return coverage_from(json.loads(found)[2]) if found else None

    def read(self, entity: str) -> Held:
        """Return all that is held of an entity, by one script."""
        before = self._posted.of(entity)
        with self._reached():
            said: list[Any] = [entity, before.mark, f"{before.last:016d}", len(before)]
            published, posted, mark, covered = self._read(keys=[self._prefix], args=said)
        events: dict[str, list[tuple[tuple[str, ...], bytes]]] = {}
        held: dict[str, list[tuple[int, Record]]] = {}
        for field, generation, content in _triples(published):
            kind, name = field[:1].decode(), field[1:].decode()
            if kind == scripts.BLOCK:
                events[name] = [(_columns(generation), content)]
            else:
                versions = json.loads(content)
                held[name] = [(EVER if known is None else known, record) for known, record in versions]
        now = before.extended(int(mark), sorted(map(_posted, posted[::2], posted[1::2])))
        if now is not before:
            self._posted.keep(entity, now)
        return Held(events, now, held, max(map(_covered_from, covered), default=EVER))

    def answers_from(self) -> int:
        """Return the earliest moment for which the store holds all that features need."""
        with self._reached():
            found = self._reader.hvals(f"{self._prefix}covered")
        return max(map(_covered_from, found), default=EVER)

    def rows(self) -> dict[str, int]:
        """Return how many rows each table holds."""
        with self._reached():
            covered, posted = self._reader.eval(scripts.ROWS, 1, self._prefix)
        found = {name.decode(): json.loads(said)[0] for name, said in zip(covered[::2], covered[1::2], strict=True)}
        for name, count in zip(posted[::2], posted[1::2], strict=True):
            found[name.decode()] = found.get(name.decode(), 0) + count
        return dict(sorted(found.items()))

    def newest(self) -> dict[str, int]:
        """Return when the newest event of each table happened, microseconds UTC."""
        with self._reached():
            found: dict[Any, Any] = self._reader.hgetall(f"{self._prefix}reached")
        return {name.decode(): int(at, 16) - BIAS for name, at in found.items()}

    def note_filled(self, as_of: int) -> None:
        """Note as of which moment the lake filled the store."""
        with self._reached():
            self._writer.set(f"{self._prefix}filled", as_of)

    def filled(self) -> int | None:
        """Return as of which moment the lake filled the store last; None if it never did."""
        with self._reached():
            found: Any = self._reader.get(f"{self._prefix}filled")
        return None if found is None else int(found)

    def _publish(
        self,
        kind: str,
        name: str,
        rows: Iterable[tuple[str, bytes]],
        columns: str,
        until: str,
        reached: str,
        covered: tuple[int, int, Coverage | None],
    ) -> None:
        """Write rows under a name of their own, and put it in the place of the one before."""
        generation = f"rows:{secrets.token_hex(8)}"
        count, answers_from, coverage = covered
        said = json.dumps([count, answers_from, coverage_text(coverage)])
        with self._reached():
            written = self._write(f"{self._prefix}{generation}", rows)
            generation = generation if written else scripts.EMPTY
            self._put(keys=[self._prefix], args=[kind, name, generation, columns, until, reached, said])

    def _write(self, key: str, rows: Iterable[tuple[str, bytes]]) -> bool:
        chunk: dict[str, bytes] = {}
        written = False
        for entity, content in rows:
            chunk[entity] = content
            if len(chunk) == CHUNK:
                self._write_chunk(key, chunk)
                written, chunk = True, {}
        if chunk:
            self._write_chunk(key, chunk)
        return written or bool(chunk)

    def _write_chunk(self, key: str, chunk: dict[Any, Any]) -> None:
        with self._writer.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping=chunk)
            pipe.expire(key, UNFINISHED_S)
            pipe.execute()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Have what Redis does not do said; one that did not answer is left alone for a while, so that nobody waits for it."""
        until, why = self._away
        if why and time.monotonic() < until:
            raise self._said(why)
        try:
            yield
        except redis.RedisError as error:
            why = str(error) or type(error).__name__
            if isinstance(error, redis.ConnectionError | redis.TimeoutError):
                self._away = time.monotonic() + AGAIN_S, why
            raise self._said(why) from None
        if why:
            self._away = 0.0, ""

    def _said(self, why: str) -> StoreAway:
        what = f"the online store does not answer: {why}"
        return StoreAway(what, where=self._where, fix="bring Redis back, or mend serving.store; no restart is needed")


def _client(url: str, timeout_s: float) -> redis.Redis:
    # a command is never sent twice: events would be there twice
    again = Retry(NoBackoff(), 0)
    return redis.Redis.from_url(
        url, protocol=2, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=again
    )


def _shown(url: str) -> str:
    """Return a URL without what it says of users and passwords."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _text(at: int) -> str:
    """Return a moment as a text whose order is that of time, to the microsecond: numbers of Redis are doubles."""
    return f"{at + BIAS:016x}"


def _triples(found: Sequence[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
    return zip(found[::3], found[1::3], found[2::3], strict=True)


def _posted(arrival: bytes, content: bytes) -> tuple[int, str, str]:
    name, _, row = content.decode().partition("\n")
    return int(arrival), name, row


@lru_cache(maxsize=1000)
def _covered_from(content: bytes) -> int:
    return int(json.loads(content)[1])


@lru_cache(maxsize=1000)
def _columns(generation: bytes) -> tuple[str, ...]:
    return tuple(json.loads(generation.partition(b" ")[2]))
