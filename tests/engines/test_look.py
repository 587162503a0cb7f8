"""A look at a table tells what its rows hold: exactly of a small one, and honestly about a large one."""

from __future__ import annotations

import pytest

from keepfit import clock
from keepfit.engines.summary import Shape

SHAPE = Shape("who", "at", "_file", ("who", "at"), "_known", frozenset({"_file", "_known"}))
ROWS = """
    (values ('a', '2025-01-01 00:00:00+00'::timestamptz, 1.5, 'web', true, 'x.csv', '2025-01-01 00:00:00+00'::timestamptz),
            ('a', '2025-01-02 12:00:00+00', null, 'web', false, 'x.csv', '2025-01-02 12:00:00+00'),
            ('a', '2025-01-02 12:00:00+00', 4.0, 'shop', true, 'x.csv', '2025-01-02 12:00:00+00'),
            ('b', '2025-01-04 06:00:00+00', 4.0, null, true, 'y.csv', '2025-01-09 00:00:00+00'))
    v(who, "at", amount, channel, paid, _file, _known)
"""


def at(text):
    return clock.to_micros(clock.parse_moment(text))


def written(engine, path, rows):
    engine.connection.execute(f"copy (select * from {rows}) to '{path}' (format parquet)")
    return str(path)


@pytest.fixture
def look(engine, tmp_path):
    """Return a function that looks at the four rows of ROWS."""
    file = written(engine, tmp_path / "t.parquet", ROWS)
    return lambda as_of=None: engine.look(SHAPE, [file], as_of)


def test_extent_columns_and_rows_are_those_of_the_files(look):
    assert (look().extent().rows, look().extent().from_at, look().extent().to_at) == (
        4,
        at("2025-01-01"),
        at("2025-01-04T06:00:00Z"),
    )
    assert look().columns()["amount"] == "DECIMAL(2,1)"
    rows = look().sample(10)
    assert [row["at"] for row in rows] == [
        at("2025-01-01"),
        *[at("2025-01-02T12:00:00Z")] * 2,
        at("2025-01-04T06:00:00Z"),
    ]


@pytest.mark.parametrize("as_of", [None, at("2030-01-01")])
def test_a_small_table_is_told_exactly_whether_footers_or_rows_are_asked(look, as_of):
    found = look(as_of).summary()
    assert (found.extent.rows, found.sampled, found.estimated, found.entities) == (4, 4, False, 2)
    who, moment, amount, channel, paid = found.columns
    assert who.labels == (("a", 3), ("b", 1))
    assert (moment.nulls, moment.distinct, moment.quantiles[0]) == (0, 3, at("2025-01-01"))
    assert (amount.nulls, amount.distinct, amount.quantiles) == (1, 2, (1.5, 1.5, 4.0, 4.0, 4.0))
    assert sum(amount.counts) == 3
    assert (channel.nulls, channel.labels, channel.labelled) == (1, (("web", 2), ("shop", 1)), 3)
    assert paid.labels == (("true", 3), ("false", 1))
    assert (found.repeated, found.compared) == (1, 4)
    assert [(one.name, one.rows) for one in found.files] == [("x.csv", 3), ("y.csv", 1)]
    assert [(one.name, one.rows, sum(one.periods)) for one in found.most] == [("a", 3, 3), ("b", 1, 1)]


def test_missing_values_rows_and_gaps_are_told_by_period(look):
    found = look().summary()
    assert (found.step, found.starts[0], found.periods) == ("1 day", at("2025-01-01"), (1, 2, 0, 1))
    amount = next(one for one in found.columns if one.name == "amount")
    assert (amount.missing, found.drawn) == ((0, 1, 0, 0), (1, 2, 0, 1))
    longest = found.gaps[0]
    assert (longest.from_at, longest.to_at) == (at("2025-01-02T13:00:00Z"), at("2025-01-04T06:00:00Z"))


def test_rows_known_at_the_moment_of_a_look_or_later_are_not_seen(look):
    early = look(at("2025-01-09"))
    assert early.extent().rows == 3 and len(early.sample(10)) == 3
    assert early.summary().entities == 1
    assert look(at("2025-01-09") + 1).extent().rows == 4


def test_rows_are_tallied_by_columns_where_texts_agree(look):
    assert look().tally(("channel", "paid"), {"who": "a"}) == [("shop", True, 1), ("web", False, 1), ("web", True, 1)]


def test_a_table_without_files_rows_or_time_is_told_as_such(engine, tmp_path):
    assert engine.look(SHAPE, []).summary().extent.rows == 0
    file = written(engine, tmp_path / "none.parquet", f"{ROWS} where false")
    empty = engine.look(SHAPE, [file])
    assert (empty.sample(3), [one.nulls for one in empty.summary().columns]) == ([], [0] * 5)
    timeless = engine.look(Shape(), [written(engine, tmp_path / "t.parquet", ROWS)]).summary()
    assert (timeless.step, timeless.starts, timeless.files, timeless.entities) == ("", (), (), 0)
    assert timeless.columns[2].nulls == 1


def test_a_column_that_older_files_lack_is_null_in_their_rows(engine, tmp_path):
    old = written(engine, tmp_path / "old.parquet", f'(select who, "at", _file, _known from {ROWS} limit 1)')
    new = written(engine, tmp_path / "new.parquet", ROWS)
    look = engine.look(SHAPE, [old, new])
    amount = next(one for one in look.summary().columns if one.name == "amount")
    assert (amount.nulls, amount.quantiles[0], amount.quantiles[4]) == (2, 1.5, 4.0)
    assert sorted(row["amount"] is None for row in look.sample(5)) == [False, False, False, True, True]


def test_numbers_that_are_not_finite_do_not_hide_the_others(engine, tmp_path):
    rows = "(values (1.0::double), (2.0), ('nan'), ('inf'), ('-inf')) v(x)"
    found = engine.look(Shape(), [written(engine, tmp_path / "t.parquet", rows)]).summary().columns[0]
    assert (found.nulls, found.quantiles) == (0, (1.0, 1.0, 1.0, 2.0, 2.0))


def test_what_is_nested_or_of_another_kind_is_told_as_text(engine, tmp_path):
    rows = "(values ([1, 2], date '2025-01-01', 'x'::blob), ([1, 2], date '2025-01-02', null)) v(list, day, bytes)"
    look = engine.look(Shape(), [written(engine, tmp_path / "t.parquet", rows)])
    list_, day, bytes_ = look.summary().columns
    assert list_.labels == (("[1, 2]", 2),)
    assert day.quantiles[0] == at("2025-01-01")
    assert (bytes_.nulls, bytes_.distinct) == (1, 1)
    assert look.sample(1)[0]["day"] in (at("2025-01-01"), at("2025-01-02"))


MANY = """
    (select 'k' || (i % 1000) as who, make_timestamptz(1577836800000000 + (i // 1000) * 3600000000) as "at",
            case when i % 4 = 0 then null else i * 1.0 end as x, i % 7 as small, 'text ' || i as unique_text,
            'f.csv' as _file, make_timestamptz(1577836800000000 + (i // 1000) * 3600000000) as _known
     from range(600000) r(i))
"""


def test_a_large_table_is_sampled_evenly_and_what_is_exact_stays_exact(engine, tmp_path):
    look = engine.look(SHAPE, [written(engine, tmp_path / "many.parquet", MANY)])
    found = look.summary()
    assert found == look.summary()
    assert found.estimated and abs(found.sampled - 200_000) < 2_000
    x, small, text = found.columns[2:]
    assert (x.nulls, x.quantiles[0], x.quantiles[4]) == (150_000, 1.0, 599_999.0)
    assert x.quantiles[2] == pytest.approx(300_000, rel=0.02)
    assert sum(x.missing) / sum(found.drawn) == pytest.approx(0.25, abs=0.005)
    assert small.distinct == 7
    assert text.distinct == pytest.approx(600_000, rel=0.25)
    assert (found.repeated, found.compared, found.entities, sum(found.periods)) == (0, 600_000, 1000, 600_000)
    assert (len(found.most), len(found.least), found.most[0].rows) == (6, 6, 600)
    assert found.least[-1].name == "k999"
