"""The pattern that the names of a table's files match, and what in them differs."""

from __future__ import annotations

import os
import re
from collections import Counter
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
        begin = _common(self.all)
        end = _common([name[len(begin) :][::-1] for name in self.all])[::-1]
        return _at_words(begin, end, self.all)

    @property
    def differing(self) -> tuple[str, ...]:
        """Return what stands between, of each name."""
        begin, end = self.ends
        return tuple(name[len(begin) : len(name) - len(end)] for name in self.all)

    def time(self) -> str | None:
        """Return the format of the times that the names differ in; None if they are none."""
        if len(self.all) == 1:
            return None
        for shape, form in TIMES:
            if all(re.fullmatch(shape, part) for part in self.differing):
                return form
        if all(re.fullmatch(YEAR_OF_TWO, part) for part in self.differing):
            return "%y"
        return None

    def with_column(self, column: str, form: str | None = None) -> list[str]:
        """Return patterns that take what differs as a column, the widest first; none if it spans folders or is empty."""
        said = f"{{{column}{':' + form if form else ''}}}"
        if len(self.all) == 1:
            return [f"{begin}{said}{end}" for begin, end in _cuts(self.all[0])]
        if any(not part or "/" in part for part in self.differing):
            return []
        begin, end = self.ends
        return [f"{begin}{said}{end}"]

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
            stem = _common([Path(name).name for name in self.all])
            tails = _common([Path(name).name[::-1] for name in self.all])[::-1]
            place = f"{folder}/{inside}" if folder else inside
            return [f"{place}/{stem}*{tails}", f"{place}/*{tails}"]
        tried = [f"{begin}*{end}"]
        if len({len(part) for part in self.differing}) == 1:
            tried.append(begin + "".join(_class(set(column)) for column in zip(*self.differing, strict=True)) + end)
        first = sorted({part[:1] for part in self.differing})
        if len(first) > 1 and all(letter.isalnum() for letter in first):
            tried.append(f"{begin}[{first[0]}-{first[-1]}]*{end}")
        return tried


def _cuts(name: str) -> list[tuple[str, str]]:
    """Return what may stand before and behind a part of one name: that part is less each time."""
    place = name.rfind("/") + 1
    stem = _stem(name[place:])
    starts = [found.start() for found in re.finditer(r"(?<![A-Za-z0-9])[A-Za-z0-9]|(?<=[a-z0-9])[A-Z]", stem)]
    return [(name[: place + start], name[place + len(stem) :]) for start in dict.fromkeys([*starts, len(stem) - 1])]


def _common(texts: Sequence[str]) -> str:
    """Return what all texts begin with."""
    first, last = min(texts), max(texts)
    same = next((place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), None)
    return first[:same] if same is not None else first[: min(len(first), len(last))]


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


def shape(name: str) -> str:
    """Return what names such as AS002.csv and BR010.csv have in common: where letters and digits stand."""
    return re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"[0-9]", "0", name)))


def common_folder(paths: Sequence[Path]) -> Path:
    """Return the folder that all files lie below."""
    return Path(os.path.commonpath([path.parent for path in paths]))


def table_name(files: Names, folder: Path) -> str:
    """Return a name for a table: what its files' names have in common, or the folder's name."""
    if len(files.all) == 1:
        return _stem(Path(files.all[0]).name)
    begin, end = files.ends
    stem = re.sub(r"[-_. ]+$", "", begin.rpartition("/")[2])
    if len(stem) < 3 or not re.search(r"[A-Za-z]{2}", stem):
        parent = Path(begin if begin.endswith("/") else Path(begin).parent).name
        stem = parent or folder.name
    # what the names end with tells tables apart that begin alike
    tail = re.sub(r"^[-_. ]+", "", _stem(end)) if re.search(r"[A-Za-z]{3}", _stem(end)) else ""
    return f"{stem}_{tail}" if tail else stem


def without_shared(stems: Sequence[str]) -> list[str]:
    """Return names without the first and last words that most of them have: orders, of olist_orders_dataset."""
    words = [re.split(r"[-_ ]+", stem) for stem in stems]
    first, last = (_usual([one[end] for one in words]) for end in (0, -1))
    told = []
    for one in words:
        kept = one[1:] if one[0] == first and len(one) > 1 and not one[1][:1].isdigit() else one
        told.append("_".join(kept[:-1] if kept[-1] == last and len(kept) > 1 else kept))
    return told


def _usual(words: Sequence[str]) -> str | None:
    word, times_seen = Counter(words).most_common(1)[0]
    return word if times_seen >= 3 and times_seen > 0.6 * len(words) else None


def _stem(name: str) -> str:
    return name.partition(".")[0]
