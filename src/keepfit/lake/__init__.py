"""Versioned tables on Delta: append once, read any version, never half a write.

The one home of `deltalake`. A table is a folder below one root. An append carries a transaction id; appending the same id
twice adds nothing, so whatever is retried after a crash ends with each row exactly once. Engines read the Parquet
files of a version directly.
"""

from keepfit.lake.delta import Lake

__all__ = ["Lake"]
