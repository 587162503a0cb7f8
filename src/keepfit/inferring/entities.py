"""Whom the rows of a table are about: the column that names somebody or something."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from keepfit.inferring.grouping import Column, Group

WHO = {
    "customer", "client", "user", "patient", "member", "account", "household", "station", "site", "sensor", "device", "machine",
    "bridge", "structure", "vehicle", "store", "shop", "person", "employee", "student", "subscriber", "asset", "meter", "well",
    "pump", "plant", "facility", "building", "entity", "host", "driver", "seller", "vendor",
}  # fmt: skip
PLACES = {"city", "county", "country", "region", "location", "line", "unit", "town"}
WHAT = {
    "order", "invoice", "transaction", "review", "event", "row", "record", "item", "basket", "ticket", "message", "payment",
    "session", "product", "stock", "sku", "article", "description", "comment", "coupon", "campaign", "zip", "state", "type",
    "status",
}  # fmt: skip
KEYS = {"id", "key", "code", "uuid", "guid", "ident", "identifier"}
NUMBERS = {"no", "nr", "num", "number", "name"}


@dataclass(frozen=True)
class Entity:
    """A column that says whom rows are about, why, how sure that is, and whether each value comes once."""

    name: str
    why: str
    score: float
    unique: bool


def entity_of(group: Group, parts: Collection[str], *, timed: bool) -> Entity | None:
    """Return the column that says whom rows are about; None if nothing is called so.

    Parameters
    ----------
    parts : collection of str
        Columns that the time is read from.
    timed : bool
        Whether there is a time: then an entity comes several times, and else once.
    """
    kinds = ("category", "text", "integer")
    able = [column for column in group.columns if column.values.kind in kinds and column.name not in parts]
    scored = [(_whose(column, place, timed), column) for place, column in enumerate(able)]
    # what is called a key is one, if nothing is called anything better
    scored = [one for one in scored if one[0] > 0] or [one for one in scored if is_key(one[1])]
    if not scored:
        return None
    score, best = max(scored, key=lambda one: one[0])
    filled = best.values.rows - best.values.empty
    why = "one value in each file" if best.constant else f"{best.values.distinct:,} different in {filled:,} rows seen"
    return Entity(best.name, why, score, is_unique(best))


def is_key(column: Column) -> bool:
    """Return whether a column is called a key."""
    words = set(column.name.split("_"))
    return bool(words & KEYS) or (len(words) == 1 and bool(re.search(r"(id|key|code)$", column.name)))


def is_unique(column: Column) -> bool:
    """Return whether no value of a column comes twice."""
    return column.values.distinct == column.values.rows - column.values.empty


def _whose(column: Column, place: int, timed: bool) -> float:
    values, words = column.values, set(column.name.split("_"))
    filled, keyed = max(1, values.rows - values.empty), is_key(column)
    score = 3.0 * bool(words & WHO) + 1.5 * bool(words & PLACES) - 2.0 * bool(words & WHAT)
    score += 1.0 * bool(words & NUMBERS) + (1.0 if "code" in words else 2.0) * keyed
    score += 4.0 * column.constant
    if values.distinct == filled and filled > 5:
        score += -1.5 if timed else 3.0
    elif values.distinct < 0.6 * filled:
        score += 1.5 if timed else -1.0
    score -= 3.0 * values.share_empty + 0.05 * place
    score -= 2.0 * (values.distinct < 3 and not column.constant)
    score -= 3.0 * (values.kind == "integer" and not (keyed or words & (WHO | NUMBERS)))
    return score - 2.0 * (values.kind == "text") - 2.0 * bool(values.clock)
