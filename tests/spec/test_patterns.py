"""A pattern means the same to Python and to RE2, or is refused."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.spec.patterns import compiled

PATTERNS = [
    "abc", "a.c", r"[A-Z]{2}\d{1,3}", r"\w+@\w+\.com", r"(?:a|b)*c?", "(a|)b", r"[^\s,]+", r"\S+\s\S+", r"[-+]?\d+", r"[\d.-]+",
    r"^a$|^b+$", r"\ba\b.\bb\b", r"a\.b\\c", "é+", "[à-ü]+", r"\x41+", ".*?x", "a{2,}", r"[ \t]+", r"\W\D.", "[a-c-]", r"[\]\[]",
]  # fmt: skip
REFUSED = [
    "(?=a)b", "(?<!a)b", r"(a)\1", "(?i)a", "(?P<n>a)", "a*+", "a++", "(?>a)", r"\Aa", r"a\Z", r"a\z", r"\pL", r"\u0041", "{,5}",
    "[[:alpha:]]", "[a&&b]", "[]a]", "a]", "a}", "(a", "a)", "*a", "[b-a]", "a{1001}", "(?:a{100}){100}", r"[\S]", "", r"\_", "a**",
]  # fmt: skip
texts = st.text(st.sampled_from("abcxABC019 .,@+-_\\\n\t\v\x0c\x1cé١ſ\u212aü]["), min_size=1, max_size=6)
likely = st.sampled_from(PATTERNS).flatmap(lambda pattern: st.from_regex(compiled(pattern), fullmatch=True))


@pytest.fixture(scope="module")
def connection():
    return duckdb.connect()


@pytest.mark.parametrize("pattern", PATTERNS)
@given(held=st.lists(texts | likely, min_size=1, max_size=20))
@settings(max_examples=15, deadline=None)
def test_python_and_sql_match_the_same_texts(connection, pattern, held):
    # a contract never sees a blank at the end, where $ differs
    held = [text for text in held if text == text.rstrip("\n")]
    query = "select list_transform($1::varchar[], x -> regexp_full_match(x, $2))"
    (found,) = connection.execute(query, [held, pattern]).fetchone()
    assert found == [compiled(pattern).fullmatch(text) is not None for text in held]


@pytest.mark.parametrize("pattern", REFUSED)
def test_a_pattern_that_one_of_them_does_not_read_is_refused(pattern):
    with pytest.raises(ValueError, match=r"."):
        compiled(pattern)


def test_a_refusal_names_the_place():
    with pytest.raises(ValueError, match=r"'\(\?=' at character 2 is not read alike everywhere"):
        compiled("a(?=b)")


pieces = st.lists(
    st.sampled_from([*r"ab0-^$.|()[]{}*+?,\\", "{2}", "{0,3}", r"\d", r"\s", r"\w", r"\b", "(?:", "[^", "é", "\n"]),
    max_size=9,
)


@given(pattern=pieces.map("".join), held=st.lists(texts, min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_whatever_is_taken_for_a_pattern_matches_the_same_texts(connection, pattern, held):
    try:
        own = compiled(pattern)
    except ValueError:
        return
    held = [text for text in [*held, pattern] if text == text.rstrip("\n")]
    query = "select list_transform($1::varchar[], x -> regexp_full_match(x, $2))"
    (found,) = connection.execute(query, [held, pattern]).fetchone()
    assert found == [own.fullmatch(text) is not None for text in held]
