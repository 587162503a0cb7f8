"""What a column's contract accepts, as a JSON schema: numbers may come as texts, and texts as numbers, as in files."""

from __future__ import annotations

from typing import Any

from keepfit.spec.columns import LARGEST_INTEGER, Category, Column, Float, Integer, Time
from keepfit.spec.tables import Events

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": ["number", "null"]}
EXAMPLE_MOMENT = "2025-06-01T00:00:00Z"
MOMENT: Schema = {"type": "string", "format": "date-time", "example": EXAMPLE_MOMENT}
NOT_BLANK = r"[^ \t\r\n\v\f]"
BLANK = r"^[ \t\r\n\v\f]*$"
# what a regular expression can say of the texts that are numbers; `1e999` is one that is refused all the same
WHOLE, DECIMAL = r"^[+-]?[0-9]{1,15}$", r"^[+-]?[0-9]{1,15}(\.[0-9]{1,15})?$"
# of the moments of RFC 3339, those that `Time` reads: of a year after 999, with an offset that there is
READ = "^[12][0-9]{3}-.+(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])$"
YES_OR_NO = "^(true|false|t|f|yes|no|y|n|1|0)$"


def column_schema(column: Column, *, key: bool = False) -> Schema:
    """Return what is accepted for a column; of a key, neither null nor a truth value."""
    told: Schema = {"description": f"in {column.unit}"} if column.unit else {}
    pattern = getattr(column, "pattern", None)
    if isinstance(column, Time):
        told |= (
            {**MOMENT, "pattern": READ}
            if column.format is None
            else {**TEXT, "description": f"a time, as {column.format} has it"}
        )
    elif isinstance(column, Category) and column.values:
        told |= {"type": "string", "enum": list(column.values)}
    elif isinstance(column, Float):
        told |= _number(column)
    elif column.kind == "boolean":
        told |= {"type": ["boolean", "integer", "string"], "minimum": 0, "maximum": 1, "pattern": YES_OR_NO}
    elif pattern:
        told |= {"type": "string", "pattern": f"^(?:{pattern})$"}
    else:
        told |= {"type": ["string", "number", *([] if key else ["boolean"])], "pattern": NOT_BLANK, "minLength": 1}
    told = {"example": example_of(column), **told}
    return told if key or not column.nullable else _or_null(told)


def _number(column: Float) -> Schema:
    whole, low, high = isinstance(column, Integer), column.min, column.max
    if whole:
        low, high = (-LARGEST_INTEGER if low is None else low), (LARGEST_INTEGER if high is None else high)
    bounds = {name: bound for name, bound in (("minimum", low), ("maximum", high)) if bound is not None}
    kind, pattern = ("integer", WHOLE) if whole else ("number", DECIMAL)
    return {"type": [kind, "string"], **bounds, "pattern": pattern}


def _or_null(told: Schema) -> Schema:
    """Return what is accepted where nothing may be sent as well: null, or a text of blanks."""
    kinds = told["type"] if isinstance(told["type"], list) else [told["type"]]
    more: Schema = {"type": [*kinds, "null"]}
    if "enum" in told:
        more["enum"] = [*told["enum"], None, ""]
    if "pattern" in told:
        more["pattern"] = f"{BLANK}|{told['pattern']}"
    return {name: value for name, value in told.items() if name != "minLength"} | more


def example_of(column: Column) -> Any:
    """Return a value that a column accepts; of a pattern, which cannot be turned into one, a text."""
    if isinstance(column, Time):
        return EXAMPLE_MOMENT
    if isinstance(column, Category) and column.values:
        return column.values[0]
    if isinstance(column, Float):
        usual: float = 17 if isinstance(column, Integer) else 19.9
        above = usual if column.min is None else max(usual, column.min)
        return above if column.max is None else min(above, column.max)
    return True if column.kind == "boolean" else "17"


def row_schema(table: Events) -> Schema:
    """Return what `POST /events` accepts of a table."""
    contract = table.contract()
    first = [table.entity, *table.time_columns()]
    required = [*first, *(name for name, column in contract.items() if not column.nullable)]
    columns = {name: column_schema(contract[name], key=name in first) for name in (*first, *contract)}
    return closed({"table": {"type": "string", "const": table.name}, **columns}, required)


def closed(properties: Schema, required: list[str]) -> Schema:
    """Return an object with these properties and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(dict.fromkeys(required)),
        "additionalProperties": False,
    }
