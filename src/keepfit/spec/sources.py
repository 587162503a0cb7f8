"""Where raw rows come from, and how their files are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from keepfit.spec.columns import as_tuple

# a column whose value stands in names: {station}, or with the form of a time: {month:%Y_%m}
IN_NAMES = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?::([^{}]*))?\}")
# strptime's directives, as they stand in names; a zone is declared on the table
TIMES_IN_NAMES = {
    "Y": r"\d{4}", "y": r"\d{2}", "m": r"\d{1,2}", "d": r"\d{1,2}", "H": r"\d{1,2}", "I": r"\d{1,2}", "M": r"\d{1,2}",
    "S": r"\d{1,2}", "f": r"\d{1,6}", "j": r"\d{1,3}", "p": r"[AaPp][Mm]", "b": r"[A-Za-z]+", "B": r"[A-Za-z]+",
    "G": r"\d{4}", "V": r"\d{1,2}", "u": r"[1-7]", "%": "%",
}  # fmt: skip


@dataclass(frozen=True)
class Csv:
    """Delimited text.

    Parameters
    ----------
    delimiter : str or None
        One character; None tells it by the suffix: a tab for .tsv, a comma otherwise.
    quote : str
        The character around values that hold a delimiter or a line break; empty if there is none.
    encoding : str
        A Python codec, such as 'latin-1'.
    skip : int
        Lines above the header.
    names : tuple of str or None
        The columns, if the file has no header.
    """

    delimiter: str | None = None
    quote: str = '"'
    encoding: str = "utf-8"
    skip: int = 0
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", as_tuple(self.names))


@dataclass(frozen=True)
class FixedWidth:
    """Text whose columns stand at fixed places.

    Parameters
    ----------
    columns : mapping of str to (int, int)
        Where each column stands: its first and last character, counted from 1 as agencies do.
    skip : int
        Lines above the first record.
    """

    columns: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    encoding: str = "utf-8"
    skip: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.columns, Mapping):
            object.__setattr__(self, "columns", {name: as_tuple(place) for name, place in self.columns.items()})


@dataclass(frozen=True)
class Json:
    """JSON: one object a line, or one array of objects.

    Parameters
    ----------
    records : str or None
        Where the array stands inside the document, such as 'data.rows'; None: the document is the array.
    encoding : str
        A Python codec.
    """

    records: str | None = None
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Parquet:
    """Parquet; its values go through the contract as any others."""


@dataclass(frozen=True)
class Excel:
    """A worksheet; None is the first one. `skip` rows stand above the header."""

    sheet: str | None = None
    skip: int = 0


Format = Csv | FixedWidth | Json | Parquet | Excel


@dataclass(frozen=True)
class Files:
    """Files that match a pattern: below the data folder, in an object store, or at a web address.

    CSV, TSV, JSON, JSON lines, Parquet and Excel, plain, gzipped or in a zip, told apart by their suffix. New files are found
    at each ingest; a file is read once.

    Parameters
    ----------
    pattern : str
        A glob relative to the data folder (setting `storage.data`), such as 'sales_*.csv'; or 's3://shop/sales/*.parquet' (gs://, az://);
        or 'https://host/file.csv'. A name in braces is a column whose value stands in the file's name: 'stations/{station}.csv.gz';
        with a date format it is a time: 'sales_{month:%Y_%m}.csv'.
    format : Format or None
        How the files are written; None tells it by the suffix.
    sha256 : str or None
        What a file fetched from the web must add up to.
    """

    pattern: str
    format: Format | None = None
    sha256: str | None = None

    def columns_in_names(self) -> dict[str, str | None]:
        """Return the columns whose values stand in the files' names, with the form of those that are times."""
        return {found[1]: found[2] for found in IN_NAMES.finditer(self.pattern)}


@dataclass(frozen=True)
class Database:
    """Rows of an SQL database: PostgreSQL, MySQL or MariaDB, SQLite.

    Parameters
    ----------
    url : str
        An SQLAlchemy address such as 'postgresql://host/shop', or 'env:SHOP_DATABASE' for the environment variable that holds it.
        A password is never written into a definition.
    table : str or None
        The table or view to read; or give `query`.
    query : str or None
        A SELECT to read instead of a table.
    cursor : str or None
        A column that only grows, such as 'id' or 'updated_at': each ingest reads what lies beyond the last value. Without one,
        all rows are read at each ingest, which suits Records.
    """

    url: str
    table: str | None = None
    query: str | None = None
    cursor: str | None = None


@dataclass(frozen=True)
class Delta:
    """A Delta table of others: a folder relative to the data folder, or s3://...; each version that appended rows is read once."""

    path: str


Source = Files | Database | Delta
