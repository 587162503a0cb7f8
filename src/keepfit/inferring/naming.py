"""Headers as agencies write them, and the names that columns get: 'PM2.5 (ug/m3)' is `pm25`, in ug/m3."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

UNIT = re.compile(r"^(.*?\S)\s*[(\[]\s*([^()\[\]]*?)\s*[)\]]\s*$")
WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# what is written in brackets to say that there is no unit
NO_UNIT = {"", "-", "1", "none", "n/a"}
# columns that an online store has of its own
TAKEN = {"entity", "time", "known"}


@dataclass(frozen=True)
class Header:
    """A header, taken apart.

    Attributes
    ----------
    text : str
        As it stands in the file.
    name : str
        An identifier.
    unit : str or None
        What stands in brackets behind it.
    """

    text: str
    name: str
    unit: str | None

    @property
    def key(self) -> str:
        """What two headers of one column have in common, whatever their unit."""
        return self.name.replace("_", "")


def header(text: str) -> Header:
    """Return a header, taken apart."""
    found = UNIT.match(text.strip())
    base, unit = found.groups() if found else (text.strip(), None)
    return Header(text, identifier(base), None if unit is None or unit.lower() in NO_UNIT else unit)


def identifier(text: str, instead: str = "column") -> str:
    """Return a text as the name of a column or a table: lower case, words joined by underscores."""
    plain = unicodedata.normalize("NFKD", text).replace("ß", "ss").encode("ascii", "ignore").decode()
    # PM2.5 is one word, and so are CustomerID and NOx
    plain = re.sub(r"(?<=[A-Za-z0-9])\.(?=[0-9])", "", plain).replace("%", " percent ").replace("#", " number ")
    words = [word for part in re.split(r"[^A-Za-z0-9]+", plain) for word in _words(part)]
    name = "_".join(words).lower() or instead
    if name[0].isdigit() or keyword.iskeyword(name):
        name = f"{instead}_{name}"
    return name


def distinct(names: Iterable[str]) -> list[str]:
    """Return names, each with a number behind it if one before is the same."""
    given: set[str] = set()
    told = []
    for name in names:
        free, nth = name, 2
        while free in given:
            free, nth = f"{name}_{nth}", nth + 1
        given.add(free)
        told.append(free)
    return told


def column_name(name: str) -> str:
    """Return a name that a column may have."""
    return f"measured_{name}" if name in TAKEN else name


def _words(part: str) -> list[str]:
    # a short mixture such as NOx or pH is one word, and so is 005A
    if len(part) <= 3 or part.upper() == part:
        return [part] if part else []
    return [word for word in WORDS.split(part) if word]
