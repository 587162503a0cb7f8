"""A root folder of Delta tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from deltalake import (
    CommitProperties,
    DeltaTable,
    Field,
    PostCommitHookProperties,
    Schema,
    Transaction,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction
from filelock import FileLock

from keepfit.errors import LakeError, did_you_mean
from keepfit.lake.opened import Opened
from keepfit.lake.past import Past, past
from keepfit.raw import Part

# deltalake would drop log entries older than 30 days, and with them every version that lineage names
KEEP_LOG = PostCommitHookProperties(cleanup_expired_logs=False)


class Lake:
    """Delta tables below one root.

    Parameters
    ----------
    root : Path
        The folder; made at the first write.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._opened = Opened(root)

    def names(self) -> list[str]:
        """Return the tables there are, as paths relative to the root."""
        logs = self.root.rglob("_delta_log") if self.root.is_dir() else []
        return sorted(log.parent.relative_to(self.root).as_posix() for log in logs)

    def exists(self, name: str) -> bool:
        """Return whether the table has been written."""
        return DeltaTable.is_deltatable(str(self.root / name))

    def version(self, name: str) -> int:
        """Return the newest version of a table."""
        return self._open(name).version()

    def parquet_files(self, name: str, version: int | None = None) -> list[str]:
        """Return the Parquet files that make up a version of a table; the newest if none is given.

        Raises
        ------
        LakeError
            If the table or the version does not exist, or files of it are gone.
        """
        # deltalake escapes paths as in a URI: a folder with a space would not be found
        files = [unquote(uri) for uri in self._open(name, version).file_uris()]
        if version is not None and not all(Path(file).is_file() for file in files):
            raise self._gone(name, version)
        return files

    def marked(self, name: str, transactions: Sequence[str]) -> set[str]:
        """Return which of these transaction ids an append to the table carried."""
        if not self.exists(name):
            return set()
        table = self._open(name)
        return {mark for mark in transactions if table.transaction_version(mark) is not None}

    def append(
        self,
        name: str,
        rows: Any,
        *,
        transaction: str | Sequence[str] | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> int:
        """Append rows in one commit and return the new version; one transaction id that is there already adds nothing.

        Parameters
        ----------
        rows : object with `__arrow_c_stream__`
            A DuckDB relation or an Arrow table. New columns are added to the table.
        transaction : str or sequence of str, optional
            What makes the append idempotent, such as the digest of the file it came from; of several, see `marked`.
        notes : mapping, optional
            Texts kept with the commit.
        """
        return self._write(name, rows, {"mode": "append", "schema_mode": "merge"}, transaction, notes)

    def replace(
        self,
        name: str,
        rows: Any,
        *,
        where: str | None = None,
        transaction: str | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> int:
        """Replace the rows that match `where` (all if None) by others, in one commit; return the new version."""
        options: dict[str, Any] = {"mode": "overwrite", "schema_mode": "merge" if where else "overwrite"}
        if where is not None and self.exists(name):
            options["predicate"] = where
        return self._write(name, rows, options, transaction, notes)

    def count(self, name: str, version: int) -> int:
        """Return how many rows a version of a table has, as its log says."""
        return int(self._open(name, version).count())

    def folder(self, name: str) -> Path:
        """Return the folder that a table's Parquet parts are written into."""
        return self.root / name

    def begin(self, name: str, schema: Any, *, notes: Mapping[str, str] | None = None) -> DeltaTable:
        """Return a table, made without rows if there is none."""
        if self.exists(name):
            return self._open(name)
        return DeltaTable.create(str(self.root / name), Schema.from_arrow(schema), commit_properties=_properties(notes))

    def commit(
        self,
        name: str,
        schema: Any,
        parts: Sequence[Part],
        *,
        old: Sequence[str] | None = (),
        transactions: Sequence[str] = (),
        notes: Mapping[str, str] | None = None,
    ) -> int:
        """Add parts that lie in a table's folder to it, in one commit, and return the new version.

        Parameters
        ----------
        schema : Arrow schema
            The parts' columns; those that the table lacks are added to it.
        old : sequence of str, or None
            Parquet files that the parts take the place of; None: all of them, and the table's columns become those of the schema.
        transactions : sequence of str
            Marks that are kept, such as one for each raw file; see `appended`.
        notes : mapping, optional
            Texts kept with the commit.

        Raises
        ------
        LakeError
            If another process changed the table meanwhile; nothing was added.
        """
        path = str(self.root / name)
        kind = Schema.from_arrow(schema)
        table = self.begin(name, schema, notes=notes)
        if old is not None:
            table = self.widen(name, schema, notes=notes)
        moment = max((int(part.path.stat().st_mtime * 1000) for part in parts), default=0)
        actions: list[Any] = [
            AddAction(part.path.name, part.size, {}, int(part.path.stat().st_mtime * 1000), True, _statistics(part))
            for part in parts
        ]
        actions += [RemoveAction(Path(file).name, True, moment) for file in old or ()]
        mode = "overwrite" if old is None else "append"
        try:
            table.create_write_transaction(
                actions,
                mode,
                kind if old is None else table.schema(),
                commit_properties=_properties(notes, transactions),
                post_commithook_properties=KEEP_LOG,
            )
        except CommitFailedError as error:
            raise LakeError(
                f"another process changed {name} meanwhile; nothing was added",
                where=path,
                fix="run the same command again",
            ) from error
        return self.version(name)

    def widen(self, name: str, schema: Any, *, notes: Mapping[str, str] | None = None) -> DeltaTable:
        """Return a table, with the columns of a schema added that it lacks: in a commit of their own."""
        table = self._open(name)
        if new := self._new_fields(table, Schema.from_arrow(schema)):
            table.alter.add_columns(new, commit_properties=_properties(notes), post_commithook_properties=KEEP_LOG)
        return table

    @contextmanager
    def keeping(self, name: str, parts: Sequence[Part]) -> Iterator[None]:
        """Remove parts if what is done with them fails, unless a commit named them before it did."""
        try:
            yield
        except BaseException:
            named = {Path(file).name for file in self.parquet_files(name)} if self.exists(name) else set()
            for part in parts:
                if part.path.name not in named:
                    part.path.unlink(missing_ok=True)
            raise

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lake against other ingests; waits for one that is at work. The lock of a killed process is free."""
        self.root.mkdir(parents=True, exist_ok=True)
        with FileLock(self.root / ".lock"):
            yield

    @staticmethod
    def _new_fields(table: DeltaTable, schema: Schema) -> list[Field]:
        there = {field.name for field in table.schema().fields}
        return [field for field in schema.fields if field.name not in there]

    def history(self, name: str, limit: int | None = None) -> list[dict[str, Any]]:
        """Return the commits of a table, newest first, as Delta records them; at most `limit`."""
        return self._open(name).history(limit)

    def notes(self, name: str) -> dict[str, str]:
        """Return the texts kept with a table's newest commit; nothing if there is no table."""
        newest = self.history(name, 1)[0] if self.exists(name) else {}
        return {key: value for key, value in newest.items() if isinstance(value, str)}

    def _write(
        self,
        name: str,
        rows: Any,
        options: dict[str, Any],
        transaction: str | Sequence[str] | None,
        notes: Mapping[str, str] | None,
    ) -> int:
        table = self._open(name) if self.exists(name) else None
        if table is not None and isinstance(transaction, str) and table.transaction_version(transaction) is not None:
            return table.version()
        marks = [transaction] if isinstance(transaction, str) else list(transaction or ())
        commit, target = _properties(notes, marks), table or str(self.root / name)
        write_deltalake(target, rows, commit_properties=commit, post_commithook_properties=KEEP_LOG, **options)
        # an open table is brought to the version it wrote
        return table.version() if table is not None else self.version(name)

    def _open(self, name: str, version: int | None = None) -> DeltaTable:
        try:
            table = self._opened.newest(name)
            same = version is None or version == table.version()
            return table if same else DeltaTable(str(self.root / name), version=version)
        except TableNotFoundError:
            raise LakeError(
                f"there is no table {name!r} in the lake", where=str(self.root), fix=did_you_mean(name, self.names())
            ) from None
        except Exception as error:  # deltalake raises its general error for an unknown version
            newest = DeltaTable(str(self.root / name)).version()
            raise LakeError(
                f"table {name!r} has no version {version}: {error}",
                where=str(self.root),
                fix=f"versions are 0 to {newest}",
            ) from error

    def past(self, name: str) -> Past:
        """Return all versions of a table that its log tells of, and their files.

        Raises
        ------
        LakeError
            If there is no such table.
        """
        self._open(name)
        folder = self.root / name
        told = past(folder)
        first = told.commits[0].version
        if first == 0:
            return told
        files = [unquote(uri) for uri in self._open(name, first).file_uris()]
        return past(folder, [str(Path(file).relative_to(folder)) for file in files])

    def _gone(self, name: str, version: int) -> LakeError:
        told = self.past(name)
        of = {part.path for part in told.of(version)}
        lost = len(of & {part.path for part in told.gone})
        what = f"version {version} of {name!r} can no longer be read: {lost} of its {len(of)} Parquet files are gone"
        there = ", ".join(map(str, told.readable()[-12:]))
        vacuumed = f"it was vacuumed; versions that can be read: {there}"
        # no vacuum takes files of the newest version
        fix = vacuumed if told.newest != version else "restore them from a backup"
        return LakeError(what, where=str(self.root / name), fix=fix)


def _properties(notes: Mapping[str, str] | None, marks: Sequence[str] = ()) -> CommitProperties:
    return CommitProperties(
        custom_metadata=dict(notes or {}), app_transactions=[Transaction(mark, 1) for mark in marks] or None
    )


def _statistics(part: Part) -> str:
    low = {name: bound[0] for name, bound in part.bounds.items()}
    high = {name: bound[1] for name, bound in part.bounds.items()}
    return json.dumps({"numRecords": part.rows, "minValues": low, "maxValues": high, "nullCount": dict(part.nulls)})
