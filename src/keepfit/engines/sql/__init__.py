"""Row-level SQL as sqlglot trees: a contract and derived columns, emitted in an engine's dialect.

| | says in SQL |
|---|---|
| `typed`, `broken` | what `Column.parse` says in Python |
| `quick` | the same for most values and at less cost, and which ones it says it for |
| `parsed` | that of a number which was one already |
| `derived` | what `keepfit.rows.evaluate` says |

Property tests hold them equal. Identifiers are always quoted.
"""

from keepfit.engines.sql.contract import broken, cleaned, joined, typed
from keepfit.engines.sql.derived import derived
from keepfit.engines.sql.quick import is_read_as_written, parsed, quick, read_first
from keepfit.engines.sql.trees import Sql, call, name, text

__all__ = [
    "Sql",
    "broken",
    "call",
    "cleaned",
    "derived",
    "is_read_as_written",
    "joined",
    "name",
    "parsed",
    "quick",
    "read_first",
    "text",
    "typed",
]
