"""Which requests were taken in before: a retry with the same key adds nothing."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from keepfit import clock
from keepfit.errors import RequestError

KEPT = 7 * clock.DAY
"""How long a retry is recognised by its key."""

SCHEMA = """
create table if not exists receipt (key text primary key, digest text, at integer);
create index if not exists receipt_by_time on receipt (at);
"""


class Receipt(NamedTuple):
    """What tells a retry: the client's key of a request, the digest of what it sent, and when it came (microseconds)."""

    key: str
    digest: str
    at: int


def is_new(writer: sqlite3.Connection, receipt: Receipt) -> bool:
    """Note a receipt, and return whether it was not there."""
    writer.execute("delete from receipt where at < ?", (receipt.at - KEPT,))
    found = writer.execute("select digest from receipt where key = ?", (receipt.key,)).fetchone()
    if found is None:
        writer.execute("insert into receipt values (?, ?, ?)", receipt)
    elif found[0] != receipt.digest:
        raise another_body()
    return found is None


def another_body() -> RequestError:
    """Return the refusal of a key that came with another request."""
    what = "this Idempotency-Key came with another body before"
    fix = "give each request a key of its own, and keep it for its retries"
    return RequestError(what, where="Idempotency-Key", fix=fix, http_status=409)
