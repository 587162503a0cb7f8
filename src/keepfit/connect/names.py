"""What stands in a file's name: globs, names in braces, and the columns they hold.

A pattern is read once into pieces: literal text, `*`, `?`, `[abc]`, `**` (any folders), `{column}` and `{column:%Y_%m}` (a time).
Each folder of it becomes an expression of its own, so that a walk enters only the folders that can match.
`*` and its like pass over names that begin with a dot, and `**` also over folders that begin with an underscore: what other
programs keep beside their data, such as `_temporary` and `_delta_log`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import unquote

from keepfit.errors import DefinitionError
from keepfit.spec.sources import IN_NAMES, TIMES_IN_NAMES

PIECE = re.compile(r"\{[^{}]*\}|\[!?\]?[^\]/]+\]|[*?/]|[^*?/\[{]+|.", re.S)
ANY_FOLDERS = r"(?:(?![._])[^/]+/)*"
# how Hive and Spark write a partition without a value
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"

# the columns that a name holds; None if it does not match
Parts = Callable[[str], dict[str, str] | None]


@dataclass(frozen=True)
class Step:
    """One folder level of a pattern: the names that pass it.

    Attributes
    ----------
    text : str
        As it stands in the pattern.
    name : re.Pattern or None
        The names; None for `**`.
    literal : bool
        Whether `text` is the only name.
    """

    text: str
    name: re.Pattern[str] | None
    literal: bool


@dataclass(frozen=True)
class Pattern:
    """A pattern of names below a folder or an object prefix; made by `read`."""

    text: str
    steps: tuple[Step, ...]
    whole: re.Pattern[str]
    times: dict[str, str]
    partitions: frozenset[str]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose values stand in names, in their order."""
        return tuple(self.whole.groupindex)

    @property
    def prefix(self) -> str:
        """The folders that every name begins with: 'raw/2025/', or nothing."""
        literal: list[str] = []
        for step in self.steps[:-1]:
            if not step.literal:
                break
            literal.append(step.text + "/")
        return "".join(literal)

    def parts(self, name: str) -> dict[str, str] | None:
        """Return the columns that a name holds; None if it does not match.

        Raises
        ------
        ValueError
            If it has the pattern's shape, but what stands for a time is none: the name does not match.
        """
        found = self.whole.fullmatch(name)
        if not found:
            return None
        return {column: self._value(column, text) for column, text in found.groupdict().items()}

    def _value(self, column: str, text: str) -> str:
        if column in self.partitions:
            text = "" if text == NO_VALUE else unquote(text)
        form = self.times.get(column)
        return _moment(text, form) if form is not None and text else text


def read(text: str) -> Pattern:
    """Return the pattern that a text says.

    Raises
    ------
    DefinitionError
        If a brace is open, a time is written with an unknown directive or without a year, or the path is not a relative one.
    """
    levels, times = _levels(text), _times(text)
    partitions = frozenset(
        field[1]
        for level in levels
        if len(level) == 2 and level[0].endswith("=") and (field := IN_NAMES.fullmatch(level[1]))
    )
    try:
        steps = tuple(step for level in levels for step in _steps(level))
        return Pattern(text, steps, re.compile(_whole(levels)), times, partitions)
    except re.error as error:
        raise _wrong(text, f"it cannot be read: {error}", "write a range such as [0-9] or [a-f]") from None


def noting(pattern: Pattern, missed: list[str]) -> Parts:
    """Return `pattern.parts`, that notes in `missed` the names with a time that is none instead of raising."""

    def parts(name: str) -> dict[str, str] | None:
        try:
            return pattern.parts(name)
        except ValueError as error:
            missed.append(f"{name}: {error}")
            return None

    return parts


def _levels(text: str) -> list[list[str]]:
    """Return the pieces of each folder level; a time that spans folders stays one piece."""
    levels: list[list[str]] = [[]]
    for piece in PIECE.findall(text):
        if piece[0] == "{" and not IN_NAMES.fullmatch(piece):
            raise _wrong(text, f"{piece!r} is no column in braces", "write {station} or {month:%Y_%m}")
        if piece == "/":
            levels.append([])
        else:
            levels[-1].append(piece)
    levels = [level for level in levels if level and level != ["."]]
    if not levels or text.startswith("/") or [".."] in levels:
        raise _wrong(
            text, "it is not a path below a folder", "write one without a leading / or ..; storage.data is the folder"
        )
    return levels


def _times(text: str) -> dict[str, str]:
    forms: dict[str, str | None] = {}
    for column, form in ((field[1], field[2]) for field in IN_NAMES.finditer(text)):
        if forms.setdefault(column, form) != form:
            raise _wrong(text, f"the column {column} stands there in two forms", "write both alike, or name them apart")
        if form is not None:
            _check_form(text, form)
    return {column: form for column, form in forms.items() if form is not None}


def _check_form(text: str, form: str) -> None:
    unknown = [one for one in re.findall(r"%(.?)", form) if one not in TIMES_IN_NAMES]
    if unknown:
        known = " ".join(f"%{one}" for one in TIMES_IN_NAMES)
        raise _wrong(text, f"%{unknown[0]} is no directive of a time in a name", f"there are: {known}")
    if not re.search(r"%[YyG]", form.replace("%%", "")):
        raise _wrong(
            text, f"the time {form!r} has no year", "write {month:%Y_%m}; without a year, take {month} as a text"
        )


def _wrong(text: str, what: str, fix: str) -> DefinitionError:
    return DefinitionError(what, where=f"the pattern {text!r}", fix=fix)


def _steps(level: list[str]) -> list[Step]:
    """Return the folder levels of one level: several if it holds a time that spans folders."""
    if level == ["*", "*"]:
        return [Step("**", None, literal=False)]
    cut: list[list[str]] = [[]]
    for piece in level:
        field = IN_NAMES.fullmatch(piece)
        forms = field[2].split("/") if field and field[2] else []
        pieces = [f"{{{field[1]}:{form}}}" for form in forms] if field and forms else [piece]
        cut[-1].append(pieces[0])
        cut += [[one] for one in pieces[1:]]
    return [_step(pieces) for pieces in cut]


def _step(pieces: list[str]) -> Step:
    literal = all(piece[0] not in "*?[{" or piece == "[" for piece in pieces)
    return Step("".join(pieces), re.compile(_visible(pieces) + "".join(map(_expression, pieces))), literal)


def _whole(levels: list[list[str]]) -> str:
    """Return the expression of whole names, with a group for each column."""
    seen: set[str] = set()
    whole = ""
    for level in levels[:-1]:
        named = level != ["*", "*"]
        whole += _visible(level) + "".join(_group(piece, seen) for piece in level) + "/" if named else ANY_FOLDERS
    if levels[-1] == ["*", "*"]:
        return whole + ANY_FOLDERS + r"(?!\.)[^/]+"
    return whole + _visible(levels[-1]) + "".join(_group(piece, seen) for piece in levels[-1])


def _group(piece: str, seen: set[str]) -> str:
    field = IN_NAMES.fullmatch(piece)
    if not field:
        return _expression(piece)
    if field[1] in seen:
        return f"(?P={field[1]})"
    seen.add(field[1])
    return f"(?P<{field[1]}>{_expression(piece)})"


def _visible(pieces: list[str]) -> str:
    return r"(?!\.)" if pieces[0][0] in "*?[{" else ""


def _expression(piece: str) -> str:
    field = IN_NAMES.fullmatch(piece)
    if field:
        return "[^/]+" if field[2] is None else _digits(field[2])
    if piece[0] == "[" and len(piece) > 1:
        negated = piece[1] == "!" and len(piece) > 3
        inner = re.sub(r"([\\^\[&~|])", r"\\\1", piece[2:-1] if negated else piece[1:-1])
        return f"(?!/)[{'^' if negated else ''}{inner}]"
    return {"*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece))


def _digits(form: str) -> str:
    parts = re.findall(r"%.|[^%]+", form)
    return "".join(TIMES_IN_NAMES[part[1]] if part[0] == "%" else re.escape(part) for part in parts)


# many files bear one month
@lru_cache(maxsize=10_000)
def _moment(text: str, form: str) -> str:
    # a week without a day begins on its Monday
    added = (" 1", " %u") if "%G" in form and "%u" not in form else ("", "")
    try:
        return datetime.strptime(text + added[0], form + added[1]).isoformat()  # noqa: DTZ007 - the table says the zone
    except ValueError:
        raise ValueError(f"{text!r} is no time of the form {form}") from None
