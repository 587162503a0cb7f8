"""Of whom nothing is known: predicted from no history only where a training set can hold such an observation.

`Every` observes entities of a table, so each has a row in it. `EachRow` observes a row, and sees it: an entity's first
row is an observation with no other past. A request for it may come before the row does. It equals that observation if all
that the features read of the row is in the request: through `Input`s whose past reads the row, and which are sent.
"""

from __future__ import annotations

from collections.abc import Collection

from keepfit.errors import RequestError
from keepfit.spec.codec import tables_of
from keepfit.spec.features import Expression, Input
from keepfit.spec.model import Model
from keepfit.spec.observe import EachRow


def stand_ins(model: Model) -> frozenset[str] | None:
    """Return the inputs that stand in for an entity's first row if they are sent; None if nothing does."""
    if not isinstance(model.observe, EachRow):
        return None
    found = [_of(feature, model.observe.of.name) for feature in model.inputs()]
    return None if None in found else frozenset(name for names in found for name in names or ())


def nothing_known(model: Model, entity: str, needed: frozenset[str] | None, sent: Collection[str]) -> RequestError:
    """Return why an entity is not predicted, and what to send."""
    table = model.observe.of
    fix = f"check {table.entity}, or POST /events with its first event"
    if isinstance(model.observe, EachRow):
        fix = f"POST its row of {table.name} to /events first: {model.name} is observed at each"
    if needed:
        fix = f"send {', '.join(sorted(needed - set(sent)))} as well: then it is answered as the first of {table.name}"
    what = f"nothing is known of {table.entity} {entity!r}"
    return RequestError(what, where=table.entity, fix=fix, http_status=404)


def _of(expression: Expression, row: str) -> frozenset[str] | None:
    """Return the inputs of an expression whose past reads a table; None if it reads the table beside them."""
    if isinstance(expression, Input):
        return frozenset({expression.label} if _reads(expression.past, row) else ())
    parts = expression.parts()
    if not parts:
        return None if _reads(expression, row) else frozenset()
    found = [_of(part, row) for part in parts]
    return None if None in found else frozenset(name for names in found for name in names or ())


def _reads(expression: Expression, row: str) -> bool:
    return any(table.name == row for table in tables_of(expression))
