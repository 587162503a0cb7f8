r"""Regular expressions that Python and RE2 read alike: what a `pattern=` may be made of.

Literal characters, `.`, classes such as `[A-Z_]`, `\d \w \s` (ASCII) and their opposites, `( ) (?: ) | ^ $ \b`, and repetition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

SPACES = r"\t\n\f\r "  # what \s is to RE2; Python adds \v
MOST_REPEATS = 1000  # RE2's limit, of nested repetitions their product

_ESCAPE = r"\\(?:x[0-7][0-9A-Fa-f]|[tnrfv]|[ !-/:-@\[-^`{-~])"
_ITEM = rf"(?!&&|~~|\|\|)(?:{_ESCAPE}|\\[dws]|[^\\\[\]^\-])"
_CLASS = rf"\[\^?(?:-|-?(?:{_ITEM}(?:-{_ITEM})?)+-?)\]"
_TIMES = r"(?:[*+?]|\{(?P<low>[0-9]+)(?P<open>,?)(?P<high>[0-9]*)\})\??(?![*+?{])"
_TOKEN = re.compile(
    rf"(?P<set>{_CLASS})|(?P<begin>\((?:\?:|(?!\?)))|(?P<end>\))|(?P<times>{_TIMES})"
    rf"|(?P<one>{_ESCAPE}|\\[dDwWsSbB]|[.^$|]|[^\\\[\](){{}}*+?])",
    re.DOTALL,
)


@lru_cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern for `fullmatch`, with the meaning that it has for RE2.

    Raises
    ------
    ValueError
        With the reason, if the two do not read it alike.
    """
    if not pattern:
        raise ValueError("it is empty")
    tokens = list(_tokens(pattern))
    if _repeats(tokens) > MOST_REPEATS:
        raise ValueError(f"it repeats more than {MOST_REPEATS} times")
    try:
        return re.compile("".join(map(_as_re2, tokens)), re.ASCII)
    except (re.error, OverflowError) as error:
        raise ValueError(str(error)) from None


def _tokens(pattern: str) -> Iterator[re.Match[str]]:
    place = 0
    while place < len(pattern):
        found = _TOKEN.match(pattern, place)
        if found is None:
            raise ValueError(f"{pattern[place : place + 3]!r} at character {place + 1} is not read alike everywhere")
        yield found
        place = found.end()


def _as_re2(token: re.Match[str]) -> str:
    if token["set"]:
        return re.sub(r"\\(.)", lambda found: SPACES if found[1] == "s" else found[0], token[0], flags=re.DOTALL)
    return {r"\s": f"[{SPACES}]", r"\S": f"[^{SPACES}]"}.get(token[0], token[0])


def _repeats(tokens: list[re.Match[str]]) -> int:
    """Return how often the innermost part is repeated by counts around it."""
    outer: list[int] = []
    most = last = 1
    for token in tokens:
        if token["begin"]:
            outer.append(most)
            most = 1
        elif token["end"] and outer:
            last, most = most, max(most, outer.pop())
        elif token["times"]:
            last *= max(int(token["low"] or 1), int(token["high"] or 1))
            most = max(most, last)
        else:
            last = 1
    return most
