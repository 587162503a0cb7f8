"""Names of raw files: globs, columns in braces, partitions."""

from __future__ import annotations

import pytest

from keepfit.connect.names import read
from keepfit.errors import DefinitionError


def matching(pattern: str, *names: str) -> list[str]:
    return [name for name in names if read(pattern).parts(name) is not None]


def test_a_star_stays_inside_a_folder_and_passes_over_hidden_names():
    assert matching("sales_*.csv", "sales_1.csv", "sales_.csv", "sales_1.csv.gz", "a/sales_1.csv") == [
        "sales_1.csv",
        "sales_.csv",
    ]
    assert matching("*.csv", "a.csv", ".a.csv") == ["a.csv"]
    assert matching(".old/*.csv", ".old/a.csv") == [".old/a.csv"]


def test_question_marks_and_ranges_are_one_letter():
    assert matching("a?.csv", "a1.csv", "a.csv", "a12.csv") == ["a1.csv"]
    assert matching("[0-9][!a-z].csv", "12.csv", "1a.csv", "a1.csv") == ["12.csv"]
    assert matching("a[^b].csv", "a^.csv", "ab.csv", "ac.csv") == ["a^.csv", "ab.csv"]
    assert matching("[x.csv", "[x.csv") == ["[x.csv"]


def test_two_stars_are_any_folders_but_those_that_programs_keep_for_themselves():
    names = ("a.csv", "x/a.csv", "x/y/a.csv", ".git/a.csv", "x/_temporary/0/a.csv")
    assert matching("**/*.csv", *names) == ["a.csv", "x/a.csv", "x/y/a.csv"]
    assert matching("x/**", *names) == ["x/a.csv", "x/y/a.csv"]


def test_letters_that_mean_something_in_an_expression_are_letters():
    assert matching("a+(1).csv", "a+(1).csv", "aa1.csv") == ["a+(1).csv"]


def test_a_name_in_braces_is_a_column():
    assert read("stations/{station}.csv.gz").parts("stations/AS002.csv.gz") == {"station": "AS002"}
    assert read("{station}_{year}.csv").parts("north_east_2025.csv") == {"station": "north_east", "year": "2025"}
    assert read("{a}/x.csv").parts(".hidden/x.csv") is None
    assert read("{a}/{b}.csv").columns == ("a", "b")


@pytest.mark.parametrize(
    ("pattern", "name", "value"),
    [
        ("sales_{t:%Y_%m}.csv", "sales_2025_01.csv", "2025-01-01T00:00:00"),
        ("{t:%Y%m%d%H%M%S}.csv", "20250131235958.csv", "2025-01-31T23:59:58"),
        ("{t:%d%b%Y}.csv", "07Feb2025.csv", "2025-02-07T00:00:00"),
        ("{t:%Y-%j}.csv", "2024-366.csv", "2024-12-31T00:00:00"),
        ("{t:%G-W%V}.csv", "2025-W01.csv", "2024-12-30T00:00:00"),
        ("{t:%Y/%m/%d}/x.csv", "2025/03/04/x.csv", "2025-03-04T00:00:00"),
        ("in/day={t:%Y-%m-%d}/*.csv", "in/day=2025-03-04/part-0.csv", "2025-03-04T00:00:00"),
    ],
)
def test_a_date_form_in_braces_is_a_time(pattern: str, name: str, value: str):
    assert read(pattern).parts(name) == {"t": value}


def test_a_date_that_is_none_does_not_match_and_says_so():
    with pytest.raises(ValueError, match="'2025_13' is no time of the form %Y_%m"):
        read("sales_{month:%Y_%m}.csv").parts("sales_2025_13.csv")
    assert read("sales_{month:%Y_%m}.csv").parts("sales_old.csv") is None


def test_a_column_that_stands_twice_has_one_value():
    pattern = read("{region}/sales_{region}.csv")
    assert pattern.parts("north/sales_north.csv") == {"region": "north"}
    assert pattern.parts("north/sales_south.csv") is None


def test_partitions_are_read_as_hive_and_spark_write_them():
    pattern = read("region={region}/*.csv")
    assert pattern.parts("region=S%C3%A3o Paulo%2F1/x.csv") == {"region": "São Paulo/1"}
    assert pattern.parts("region=__HIVE_DEFAULT_PARTITION__/x.csv") == {"region": ""}
    assert read("{region}/x.csv").parts("a%2Fb/x.csv") == {"region": "a%2Fb"}


def test_the_folders_all_names_begin_with_are_known():
    assert read("raw/2025/*.csv").prefix == "raw/2025/"
    assert read("./raw//{a}/x.csv").prefix == "raw/"
    assert read("*.csv").prefix == ""


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("{station.csv", "no column in braces"),
        ("{2x}.csv", "no column in braces"),
        ("{month:%Q}.csv", "%Q is no directive"),
        ("{month:%m}.csv", "has no year"),
        ("{a:%Y}/{a}.csv", "in two forms"),
        ("../x.csv", "not a path below a folder"),
        ("/etc/*.csv", "not a path below a folder"),
        ("", "not a path below a folder"),
        ("[z-a].csv", "cannot be read"),
    ],
)
def test_a_pattern_that_cannot_be_is_refused(pattern: str, words: str):
    with pytest.raises(DefinitionError) as refused:
        read(pattern)
    assert words in refused.value.what
    assert repr(pattern) in refused.value.where
