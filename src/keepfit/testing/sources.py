"""The contract of a source: what every `Connection` does, whatever it connects to.

A subclass fills in `source`, `put` and, where the outside system can, `rewrite` and `remove`; pytest runs the rest. Rows are
(id, text); the tests look at nothing but what `items` and `fetch` say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from keepfit.connect import Connection, Item, Place, connect
from keepfit.errors import SourceError
from keepfit.spec.sources import Parquet, Source

Row = tuple[int, str]
FIRST: Sequence[Row] = ((1, "one"), (2, "two, with a comma"))
SECOND: Sequence[Row] = ((3, 'a "quoted" text'), (4, "zwölf\nlines"))
CSV = "read_csv($path, header=true, delim=',', quote='\"', escape='\"', columns={'id': 'VARCHAR', 'text': 'VARCHAR'})"
CHANGED: Sequence[Row] = ((1, "one again"), (2, "two, with a comma"))


class SourceContract:
    """What every source must do.

    Attributes
    ----------
    place : Place
        Where the source works: an empty data folder, a landing folder, and what `environment` returned.
    items_per_put : int
        How many items one `put` makes.
    grows : bool
        Whether what is put later becomes items of its own; False for a source that is one file.
    remembers : bool
        Whether the source keeps by itself what it has handed over once, as a database does: what `remove` takes away can still
        be fetched.
    """

    place: Place
    items_per_put: ClassVar[int | None] = 1
    grows: ClassVar[bool] = True
    remembers: ClassVar[bool] = False

    # hooks

    def prepare(self, request: pytest.FixtureRequest) -> None:
        """Make the outside system empty, before each test; `request.getfixturevalue` reaches fixtures."""

    def environment(self) -> Mapping[str, str]:
        """Return the environment variables that the source needs."""
        return {}

    def source(self) -> Source:
        """Return a source that finds everything `put` writes; `part` of its names, if it has any, is a column."""
        raise NotImplementedError

    def put(self, name: str, rows: Sequence[Row]) -> None:
        """Write rows as CSV with the header id,text (or as the outside system's own) under a name: a file, an object, some rows."""
        raise NotImplementedError

    def rewrite(self, name: str, rows: Sequence[Row]) -> None:
        """Write other rows under a name that was put; a source that cannot skips."""
        pytest.skip("this source cannot rewrite")

    def remove(self, name: str) -> None:
        """Take away what was put; a source that cannot skips."""
        pytest.skip("this source cannot remove")

    # what the tests share

    @pytest.fixture(autouse=True)
    def _placed(self, tmp_path: Path, request: pytest.FixtureRequest) -> None:
        self.scratch = tmp_path / "scratch"
        self.place = Place(tmp_path / "data", tmp_path / "landing", {})
        self.place.data.mkdir()
        self.prepare(request)
        self.place = Place(self.place.data, self.place.landing, dict(self.environment()))

    def opened(self) -> Connection:
        """Return a new connection."""
        return connect(self.source(), self.place)

    def read(self, item: Item, connection: Connection | None = None) -> list[Row]:
        """Return the rows of an item."""
        import duckdb

        path = (connection or self.opened()).fetch(item, self.scratch)
        reader = "read_parquet($path)" if item.format == Parquet() else CSV
        query = f"SELECT id::BIGINT, text FROM {reader} ORDER BY 1"
        return [(int(key), str(text)) for key, text in duckdb.execute(query, {"path": str(path)}).fetchall()]

    def everything(self) -> list[Row]:
        """Return the rows of all items, through one connection."""
        connection = self.opened()
        return sorted(row for item in connection.items() for row in self.read(item, connection))

    # the contract

    def test_every_row_is_handed_over_once(self) -> None:
        """All that was put is in exactly one item."""
        self.put("a", FIRST)
        self.put("b", SECOND)
        assert self.everything() == [*FIRST, *SECOND]
        assert self.everything() == [*FIRST, *SECOND]

    def test_items_come_by_name_and_names_stay_below_the_source(self) -> None:
        """Names are sorted, each once, and safe to write down."""
        self.put("b", SECOND)
        self.put("a", FIRST)
        names = [item.name for item in self.opened().items()]
        assert names == sorted(set(names))
        assert all(
            name and name.encode() and not name.startswith("/") and ".." not in name.split("/") for name in names
        )
        assert self.items_per_put is None or len(names) == 2 * self.items_per_put

    def test_what_did_not_change_keeps_its_name_and_identity(self) -> None:
        """Two listings agree, also through two connections and after a fetch."""
        self.put("a", FIRST)
        self.everything()
        connection = self.opened()
        before = [(item.name, item.identity) for item in connection.items()]
        self.everything()
        assert [(item.name, item.identity) for item in connection.items()] == before
        assert [(item.name, item.identity) for item in self.opened().items()] == before

    def test_what_is_put_later_is_listed_beside_what_was_there(self) -> None:
        """Nothing that was read changes its identity because of something new."""
        if not self.grows:
            pytest.skip("this source is one file")
        self.put("a", FIRST)
        self.everything()
        before = {(item.name, item.identity) for item in self.opened().items()}
        self.put("b", SECOND)
        connection = self.opened()
        items = connection.items()
        assert before <= {(item.name, item.identity) for item in items}
        new = [item for item in items if (item.name, item.identity) not in before]
        assert sorted(row for item in new for row in self.read(item, connection)) == list(SECOND)

    def test_what_is_rewritten_has_another_identity(self) -> None:
        """A change is never overlooked, even one of equal length."""
        self.put("a", FIRST)
        self.put("b", SECOND)
        self.everything()
        before = {item.name: item.identity for item in self.opened().items()}
        self.rewrite("a", CHANGED)
        after = {item.name: item.identity for item in self.opened().items()}
        assert [name for name in after if before.get(name) != after[name]] != []
        assert self.everything() == [*CHANGED, *SECOND]

    def test_a_fetch_repeats_and_leaves_nothing_but_its_copy(self) -> None:
        """The same bytes come twice, and only the scratch and the landing folder are written."""
        self.put("a", FIRST)
        self.put("b", SECOND)
        connection = self.opened()
        items = connection.items()
        before = _files(self.place.data)
        contents = [[connection.fetch(item, self.scratch).read_bytes() for item in items] for _ in range(2)]
        assert contents[0] == contents[1]
        assert _files(self.place.data) == before
        assert list(self.scratch.rglob("*.part")) == []

    def test_a_size_that_is_told_is_that_of_the_bytes(self) -> None:
        """`size` is what a fetch hands over, or -1."""
        self.put("a", FIRST)
        connection = self.opened()
        for item in connection.items():
            assert item.size in (-1, connection.fetch(item, self.scratch).stat().st_size)

    def test_several_threads_may_fetch_at_once(self) -> None:
        """Fetches into one folder do not meet."""
        from concurrent.futures import ThreadPoolExecutor

        for number in range(4):
            self.put(f"f{number}", [(number, "x" * number)])
        connection = self.opened()
        items = connection.items() * 3
        with ThreadPoolExecutor(4) as pool:
            paths = list(pool.map(lambda item: connection.fetch(item, self.scratch).read_bytes(), items))
        third = len(items) // 3
        assert paths[:third] == paths[third : 2 * third] == paths[2 * third :]

    def test_nothing_that_matches_is_an_error_that_says_where_it_looked(self) -> None:
        """What, where and fix are filled in."""
        with pytest.raises(SourceError) as refused:
            self.opened().items()
        assert refused.value.what
        assert refused.value.where
        assert refused.value.fix

    def test_what_has_gone_since_it_was_listed_is_an_error_that_names_it(self) -> None:
        """The others are fetched as before."""
        self.put("a", FIRST)
        self.put("b", SECOND)
        connection = self.opened()
        items = connection.items()
        if self.remembers:
            self.everything()
        self.remove("a")
        if self.remembers:
            assert sorted(row for item in items for row in self.read(item, connection)) == [*FIRST, *SECOND]
            return
        left = []
        for item in items:
            try:
                left += self.read(item, connection)
            except SourceError as error:
                assert item.name in error.what
        assert left == list(SECOND)


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    stats = ((path, path.stat()) for path in folder.rglob("*") if path.is_file())
    return {str(path): (stat.st_size, stat.st_mtime_ns) for path, stat in stats}
