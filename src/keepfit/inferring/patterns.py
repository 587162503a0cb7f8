"""The pattern that the names of a table's files match, and what in them differs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from keepfit.connect import names

TIMES = (
    (r"(19|20)\d\d", "%Y"),
    (r"(19|20)\d\d(0[1-9]|1[0-2])", "%Y%m"),
    (r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])", "%Y%m%d"),
    (r"(19|20)\d\d-(0[1-9]|1[0-2])", "%Y-%m"),
    (r"(19|20)\d\d_(0[1-9]|1[0-2])", "%Y_%m"),
    (r"(19|20)\d\d-(0[1-9]|1[0-2])-([0-2]\d|3[01])", "%Y-%m-%d"),
    (r"(19|20)\d\d_(0[1-9]|1[0-2])_([0-2]\d|3[01])", "%Y_%m_%d"),
)
YEAR_OF_TWO = r"[0-9]{2}"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Names:
    """The names of a table's files below the data folder.

    Attributes
    ----------
    all : tuple of str
        With slashes, sorted.
    """

    all: tuple[str, ...]

    @cached_property
    def ends(self) -> tuple[str, str]:
        """What all names begin and end with."""
        begin = os.path.commonprefix(list(self.all))
        end = os.path.commonprefix([name[len(begin) :][::-1] for name in self.all])[::-1]
        if len(self.all) == 1:
            # one name alone differs in nothing: from its last word on it may
            stem = self.all[0].partition(".")[0] if "." in Path(self.all[0]).name else self.all[0]
            word = re.search(r"[A-Za-z0-9]+$", stem)
            begin = stem[: word.start()] if word else ""
            return begin, self.all[0][len(stem) :]
        return _at_words(begin, end, self.all)

    @property
    def differing(self) -> tuple[str, ...]:
        """Return what stands between, of each name."""
        begin, end = self.ends
        return tuple(name[len(begin) : len(name) - len(end)] for name in self.all)

    def time(self) -> str | None:
        """Return the format of the times that the names differ in; None if they are none."""
        for shape, form in TIMES:
            if all(re.fullmatch(shape, part) for part in self.differing):
                return form
        if len(self.all) > 1 and all(re.fullmatch(YEAR_OF_TWO, part) for part in self.differing):
            return "%y"
        return None

    def with_column(self, column: str, form: str | None = None) -> str | None:
        """Return the pattern that takes what differs as a column; None if it spans folders or is empty."""
        if any(not part or "/" in part for part in self.differing):
            return None
        begin, end = self.ends
        return f"{begin}{{{column}{':' + form if form else ''}}}{end}"

    def pattern(self, others: Iterable[str]) -> str:
        """Return a pattern that matches these names, and as few of the others as can be.

        Parameters
        ----------
        others : iterable of str
            Names of files that lie beside these.
        """
        beside = [name for name in others if name not in self.all]
        if len(self.all) == 1:
            return self.all[0]
        best, least = "", len(beside) + 1
        for tried in self._tried():
            known = names.read(tried)
            wrong = sum(1 for name in beside if known.whole.fullmatch(name))
            if all(known.whole.fullmatch(name) for name in self.all) and wrong < least:
                best, least = tried, wrong
        return best

    def _tried(self) -> list[str]:
        begin, end = self.ends
        depth = {name.count("/") for name in self.all}
        if any("/" in part for part in self.differing):
            folder = begin.rpartition("/")[0]
            inside = "/".join(["*"] * (self.all[0].count("/") - begin.count("/"))) if len(depth) == 1 else "**"
            stem = os.path.commonprefix([Path(name).name for name in self.all])
            tails = os.path.commonprefix([Path(name).name[::-1] for name in self.all])[::-1]
            place = f"{folder}/{inside}" if folder else inside
            return [f"{place}/{stem}*{tails}", f"{place}/*{tails}"]
        tried = [f"{begin}*{end}"]
        if len({len(part) for part in self.differing}) == 1:
            tried.append(begin + "".join(_class(set(column)) for column in zip(*self.differing, strict=True)) + end)
        tried += [f"{begin}[{sorted({part[0] for part in self.differing})[0]}-{sorted({part[0] for part in self.differing})[-1]}]*{end}"] if all(self.differing) and all(part[0].isalnum() for part in self.differing) else []
        return tried


def _at_words(begin: str, end: str, all_names: Sequence[str]) -> tuple[str, str]:
    """Return ends that do not cut a number or a word in two: '2010_12' and '2011_01' differ from their year on."""
    def split(part: str, other: str) -> bool:
        return bool(part and other and ((part.isdigit() and other.isdigit()) or (part.isalpha() and other.isalpha())))

    while begin and any(split(begin[-1], name[len(begin) : len(begin) + 1]) for name in all_names):
        begin = begin[:-1]
    while end and any(split(end[0], name[len(name) - len(end) - 1 : len(name) - len(end)]) for name in all_names):
        end = end[1:]
    # a year stays with its month
    years = re.search(r"(19|20)\d\d[-_]?((0[1-9]|1[0-2])[-_]?)?$", begin)
    if years and all(name[len(begin) : len(begin) + 1].isdigit() for name in all_names):
        begin = begin[: years.start()]
    return begin, end


def _class(letters: set[str]) -> str:
    if len(letters) == 1:
        (letter,) = letters
        return letter if letter not in "*?[]{}" else f"[{letter}]"
    for shape, text in ((str.isdigit, "[0-9]"), (str.isupper, "[A-Z]"), (str.islower, "[a-z]")):
        if all(letter.isascii() and shape(letter) for letter in letters):
            return text
    return "?"


def common_folder(paths: Sequence[Path]) -> Path:
    """Return the folder that all files lie below."""
    return Path(os.path.commonpath([path.parent for path in paths]))


def table_name(files: Names, folder: Path, beside: Sequence[str]) -> str:
    """Return a name for a table: what its files' names have in common, or the folder's name.

    Parameters
    ----------
    beside : sequence of str
        What the names of the other tables' files begin with.
    """
    begin = files.all[0] if len(files.all) == 1 else files.ends[0]
    stem = Path(begin).name.partition(".")[0] if len(files.all) == 1 else begin.rpartition("/")[2]
    stem = re.sub(r"[-_. ]+$", "", stem)
    if len(stem) < 3 or not re.search(r"[A-Za-z]{2}", stem):
        parent = Path(begin if begin.endswith("/") else Path(begin).parent).name
        stem = parent or folder.name
    return stem


def without_shared(stems: Sequence[str]) -> list[str]:
    """Return names without the words that all of them begin and end with."""
    if len(stems) < 3:
        return list(stems)
    words = [re.split(r"[-_ ]+", stem) for stem in stems]
    front = len(os.path.commonprefix(words))
    back = len(os.path.commonprefix([list(reversed(one)) for one in words]))
    cut = [one[front : len(one) - back] for one in words]
    return ["_".join(one) if one else stem for one, stem in zip(cut, stems, strict=True)]
