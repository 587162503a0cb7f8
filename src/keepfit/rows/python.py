"""Call the functions of `Python(...)`: find them, hand over Arrow arrays, and hold what comes back to its type."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from arro3.core import Array, ChunkedArray, DataType
from numpy.typing import NDArray

from keepfit.errors import DefinitionError, SourceError
from keepfit.rows import modules
from keepfit.spec.columns import LARGEST_INTEGER, Boolean, Category, Column, Float, Integer, Value
from keepfit.spec.rows import Python
from keepfit.spec.rows.python import source_digest
from keepfit.spec.tables import Table

ARROW = {"float": DataType.float64(), "integer": DataType.int64(), "boolean": DataType.bool()}
FEW, SHOWN = 8, 200  # values, and characters of an error
FINDING = Lock()  # a server's threads find functions too
ROW_ALONE = (
    "compute each value from its own row alone: no mean, rank or shift over rows, no random number, no clock;"
    " what looks at other rows is a feature over a window, such as {table}.{column}.mean(last='30d')"
)


class Values:
    """A column of rows: it speaks the Arrow C data interface, so pyarrow, polars and arro3 take it as it is.

    `np.asarray` gives 64-bit floats with NaN for null (yes is 1, no is 0), of texts an object array with None.

    Parameters
    ----------
    arrow : arro3.core.Array
        The values; as `values.arrow` they can be had back.
    """

    def __init__(self, arrow: Array, column: Column) -> None:
        self.arrow, self.column = arrow, column

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self.arrow.__arrow_c_array__(requested_schema)

    def __arrow_c_schema__(self) -> Any:
        return self.arrow.__arrow_c_schema__()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        kind: Any = np.float64 if self.column.numeric else object
        values: NDArray[Any] = np.array(self.to_pylist(), dtype=kind)
        return values if dtype is None else values.astype(dtype)

    def __len__(self) -> int:
        return len(self.arrow)

    def __iter__(self) -> Iterator[Value]:
        return iter(self.to_pylist())

    def __getitem__(self, place: int) -> Value:
        value: Value = self.arrow[place].as_py()
        return value

    def __repr__(self) -> str:
        more = ", ..." if len(self) > FEW else ""
        return f"{self.column.kind}[{', '.join(map(repr, self.arrow.slice(0, min(len(self), FEW)).to_pylist()))}{more}]"

    def to_pylist(self) -> list[Any]:
        """Return the values as a list, None for null."""
        return list(self.arrow.to_pylist())

    def take(self, places: Sequence[int]) -> Values:
        """Return some rows, in this order, as a column of their own."""
        return Values(self.arrow.take(Array.from_numpy(np.array(places, np.int64))), self.column)


def array(values: Sequence[Value], column: Column) -> Array:
    """Return values of a column's type as an Arrow array."""
    return Array(list(values), type=ARROW.get(column.kind, DataType.utf8()))


def derive_one(name: str, table: Table, row: Mapping[str, Value]) -> Value:
    """Return a Python column's value for one typed row.

    Raises
    ------
    SourceError
        If the function raises, or returns what it may not.
    DefinitionError
        If it is not there as it was declared.
    """
    derivation, types = python_of(table, name), table.raw_types()
    columns = [Values(array([row.get(one)], types[one]), types[one]) for one in derivation.reads]
    return derive(name, table, columns)[0]


def derive(name: str, table: Table, columns: Sequence[Values]) -> list[Value]:
    """Return a Python column's values for many rows; raises as `derive_one` does."""
    derivation = python_of(table, name)
    function = resolve(str(derivation.function), derivation.source)
    try:
        result = function(*columns)
    except Exception as error:
        raise SourceError(
            f"{derivation.function} raised {type(error).__name__}: {str(error)[:SHOWN]}",
            where=_place(name, table) + _line(error, function),
            fix="mend the function; until then no row with this column is taken in",
        ) from error
    try:
        return _typed(result, len(columns[0]), derivation.returns)
    except (ValueError, TypeError) as error:
        fix = f"return one {derivation.returns.kind} for each row, or declare returns="
        raise SourceError(f"{derivation.function} {error}", where=_place(name, table), fix=fix) from None


def require_rows_alone(
    name: str, table: Table, columns: Sequence[Values], derived: Sequence[Value], companies: Iterable[Sequence[int]]
) -> None:
    """Compute rows again in other company, and hold every value equal.

    A value that depends on other rows would bring the future into the past. Rounding may differ by a few last digits.

    Parameters
    ----------
    companies : iterable of sequences of int
        The rows of each call, in its order; a company of one is a row alone.

    Raises
    ------
    SourceError
        For the first row of the first company that differs.
    """
    for places in companies:
        again = derive(name, table, [column.take(places) for column in columns])
        before = [derived[place] for place in places]
        if again == before:
            continue
        odd = [one for one, pair in enumerate(zip(again, before, strict=True)) if not _same(*pair)]
        if odd:
            first = min(odd, key=places.__getitem__)
            row = [column.take([places[first]]) for column in columns]
            raise _beyond(name, table, row, (len(derived), before[first]), (len(places), again[first]))


def _beyond(name: str, table: Table, row: Sequence[Values], *among: tuple[int, Value]) -> SourceError:
    """Return the error for a row with these values among so many rows."""
    derivation, (last, alone) = python_of(table, name), among[-1]
    if last > 1:
        alone = derive(name, table, row)[0]
    many, value = next((pair for pair in among if not _same(pair[1], alone)), among[0])
    held = ", ".join(f"{one}={column[0]!r}" for one, column in zip(derivation.reads, row, strict=True))
    return SourceError(
        f"{derivation.function} looks beyond the row: for {held} it gives {value!r} among {many:,} rows"
        f" and {alone!r} for the row alone",
        where=_place(name, table),
        fix=ROW_ALONE.format(table=table.name, column=derivation.reads[0]),
    )


def python_of(table: Table, name: str) -> Python:
    """Return the declaration of a Python column."""
    derivation = table.derive[name]
    if not isinstance(derivation, Python):
        raise TypeError(f"{name} is derived by the row language")
    return derivation


@lru_cache(maxsize=256)
def resolve(reference: str, source: str) -> Callable[..., Any]:
    """Return the function of this name whose source has this digest.

    Raises
    ------
    DefinitionError
        If there is none, or it was edited since it was declared.
    """
    with FINDING:
        return _found(reference, source)


def _found(reference: str, source: str) -> Callable[..., Any]:
    name, _, attribute = reference.partition(":")
    try:
        module = modules.find(name)
        function = getattr(module, attribute, None)
        if function is None or source_digest(function) != source:
            # a server that runs since before the edit holds the module of then
            function = getattr(modules.again(module), attribute, None)
    except Exception as error:
        fix = f"put {name}.py beside definitions.py, and work in that folder"
        raise DefinitionError(f"{reference} cannot be imported: {error}", where=f"{name}.py", fix=fix) from error
    if function is None:
        raise DefinitionError(f"{name} has no function {attribute!r}", where=f"{name}.py", fix="put it back")
    if source_digest(function) != source:
        raise DefinitionError(
            f"{reference} is not what it was when it was declared: its source differs",
            where=f"{name}.py, function {attribute!r}",
            fix="ingest and train again with the function as it is now, or put back its source of then",
        )
    found: Callable[..., Any] = function
    return found


def _typed(result: object, rows: int, returns: Column) -> list[Value]:
    listed = _listed(result)
    if len(listed) != rows:
        raise ValueError(f"returned {len(listed):,} values for {rows:,} rows")
    fitted = [_value(value, returns) for value in listed]
    if not returns.nullable and None in fitted:
        raise ValueError("returned null, and its type is not nullable")
    bounded = isinstance(returns, Float) and (returns.min is not None or returns.max is not None)
    if bounded or (isinstance(returns, Category) and returns.values is not None):
        for value in fitted:
            _require_fit(value, returns)
    return fitted


def _listed(result: Any) -> list[Any]:
    if isinstance(result, list | tuple):
        return list(result)
    if isinstance(result, np.ndarray):
        if result.ndim != 1:
            raise TypeError(f"returned an array of {result.ndim} dimensions, not a column")
        return list(result.tolist())
    if hasattr(result, "__arrow_c_stream__"):
        return list(ChunkedArray.from_arrow(result).to_pylist())
    if hasattr(result, "__arrow_c_array__"):
        return list(Array.from_arrow(result).to_pylist())
    if hasattr(result, "__array__") and np.ndim(result):
        return _listed(np.asarray(result))
    raise TypeError(f"returned a {type(result).__name__}, not a column")


def _value(value: Any, returns: Column) -> Value:
    if type(value).__module__ == "numpy":
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if not returns.numeric:
        if isinstance(value, str):
            return value
        raise ValueError(f"returned {value!r}, which is not a text")
    if not isinstance(value, int | float):
        raise ValueError(f"returned {value!r}, which is not a number")
    if isinstance(returns, Boolean):
        if value in (0, 1):
            return bool(value)
        raise ValueError(f"returned {value!r}, which is neither yes nor no")
    if isinstance(returns, Integer):
        if abs(value) <= LARGEST_INTEGER and value == int(value):
            return int(value)
        raise ValueError(f"returned {value!r}, which is not a whole number")
    return float(value) + 0.0 if math.isfinite(value) else None  # as an overflow in the row language


def _require_fit(value: Value, returns: Column) -> None:
    try:
        returns.parse(value)
    except ValueError as error:
        raise ValueError(f"returned {value!r}, which {error}") from None


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-14, abs_tol=0.0)
    return left == right


def _place(name: str, table: Table) -> str:
    return f"definitions.py, {type(table).__name__} {table.name!r}, derived column {name!r}"


def _line(error: BaseException, function: Callable[..., Any]) -> str:
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f", line {lines[-1]} of {Path(str(file)).name}" if lines else ""
