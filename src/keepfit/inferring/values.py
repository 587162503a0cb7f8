"""What the values of one column are: its type, what means missing, and where its numbers lie."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from keepfit.inferring import times
from keepfit.spec.columns import BLANKS, LARGEST_INTEGER, number_shape

# words that mean missing wherever nearly everything else is a number or a time
MISSING = {
    "na", "n/a", "nan", "null", "none", "nil", "missing", "unknown", "no data", "nodata", "-", "--", "---", "?", ".", "*", "#n/a",
    "#value!", "#div/0!", "invalid", "n.a.", "n.d.", "nd", "bdl", "inf", "-inf", "<na>", "na.",
}  # fmt: skip
# of these one may say so in a column of labels too
MISSING_LABELS = {"NA", "N/A", "NaN", "nan", "NULL", "null", "None", "#N/A", "<NA>", "-", "--", "?"}
YES_NO = ({"true", "false"}, {"t", "f"}, {"yes", "no"}, {"y", "n"})
FEW_LABELS, LONG_TEXT = 60, 32
NUMERIC, WHOLE = (re.compile(number_shape(whole=whole)) for whole in (False, True))
EUROPEAN = re.compile(number_shape(",", "."))
ENGLISH = re.compile(number_shape(".", ","))
NINES = re.compile(r"-?9{2,}(\.[09]*)?|-(99)+9?(\.[09]*)?|-?[1-9]e\+?[0-9]{2,}", re.I)


@dataclass(frozen=True)
class Values:
    """What was seen in a column.

    Attributes
    ----------
    kind : str
        integer, float, boolean, category, text or time; empty if every value is missing.
    rows, empty, distinct : int
        Rows seen, those without a value, and different values.
    sentinels : tuple
        Values that mean missing.
    least, most : float or None
        Of its numbers, sentinels aside.
    heavy : bool
        Whether its largest numbers lie far beyond nearly all others.
    decimal, thousands : str
        Signs of its numbers.
    odd : tuple of str
        Values that do not fit its type.
    time : Written or None
        How its times are written.
    clock : str or None
        The format of times of the day without a day.
    labels : tuple of str
        The values, the most frequent first, if they are few.
    """

    kind: str = ""
    rows: int = 0
    empty: int = 0
    distinct: int = 0
    sentinels: tuple[str | float, ...] = ()
    least: float | None = None
    most: float | None = None
    heavy: bool = False
    decimal: str = "."
    thousands: str | None = None
    odd: tuple[str, ...] = ()
    time: times.Written | None = None
    clock: str | None = None
    labels: tuple[str, ...] = ()
    seen: frozenset[str] = field(default_factory=frozenset, repr=False)

    @property
    def share_empty(self) -> float:
        """Return the share of rows without a value."""
        return self.empty / self.rows if self.rows else 0.0

    @property
    def numeric(self) -> bool:
        """Return whether they are numbers."""
        return self.kind in ("integer", "float")


def look(raw: Sequence[str | None]) -> Values:
    """Return what the values of a column are, given a sample of its raw texts."""
    counts = Counter(text for one in raw if one is not None and (text := one.strip(BLANKS)))
    rows, filled = len(raw), sum(counts.values())
    base: dict[str, Any] = {"rows": rows, "empty": rows - filled, "distinct": len(counts), "seen": frozenset(counts)}
    if not counts:
        return Values(**base)
    words = {text for text in counts if text.lower() in MISSING}
    plain = {text: times_seen for text, times_seen in counts.items() if text not in words}
    if not plain:
        return Values(**base, sentinels=tuple(sorted(words)))
    for judge in (_yes_no, _time, _number):
        found = judge(plain)
        if found is not None:
            marks = found.pop("marks", set()) | words
            missing = (*sorted(words), *found.pop("sentinels", ()))
            return Values(**_without(base, counts, marks), **found, sentinels=missing)
    found = _labels(counts, rows)
    return Values(**_without(base, counts, set(found["sentinels"])), **found)


def _without(base: dict[str, Any], counts: Counter[str], marks: set[str]) -> dict[str, Any]:
    """Return the counts of a column in which some texts mean missing."""
    empty = base["empty"] + sum(counts[text] for text in marks)
    return base | {"empty": empty, "distinct": len(counts) - len(marks), "seen": base["seen"] - marks}


def _yes_no(counts: dict[str, int]) -> dict[str, Any] | None:
    words = {text.lower() for text in counts}
    return {"kind": "boolean"} if any(words <= pair for pair in YES_NO) else None


def _time(counts: dict[str, int]) -> dict[str, Any] | None:
    texts = list(counts)
    found = times.written(texts)
    if found is not None:
        return {"kind": "time", "time": found}
    clock = times.only_clock(texts) if any(sign in texts[0] for sign in ":.") else None
    return {"kind": "category", "clock": clock} if clock and not all(map(NUMERIC.fullmatch, texts)) else None


def _number(counts: dict[str, int]) -> dict[str, Any] | None:
    for shape, signs in ((NUMERIC, (".", None)), (EUROPEAN, (",", ".")), (ENGLISH, (".", ","))):
        odd = [text for text in counts if not shape.fullmatch(text)]
        if _few(odd, counts):
            return _described(counts, odd, *signs)
    return None


def _few(odd: list[str], counts: dict[str, int]) -> bool:
    """Return whether values that are no numbers are slips among many numbers, and not labels among codes."""
    if not odd:
        return True
    share = sum(counts[text] for text in odd) / sum(counts.values())
    return len(counts) - len(odd) > 20 and share <= (0.05 if len(odd) == 1 else 0.005)


def _described(counts: dict[str, int], odd: list[str], decimal: str, thousands: str | None) -> dict[str, Any] | None:
    plain = {text: _plain(text, decimal, thousands) for text in counts if text not in odd}
    if any(_is_code(text) for text in plain.values()):
        return None
    numbers = Counter[float]()
    for text, value in plain.items():
        numbers[float(value)] += counts[text]
    sentinels = _far_out(numbers)
    kept = {number: seen for number, seen in numbers.items() if number not in sentinels} or dict(numbers)
    whole = all(WHOLE.fullmatch(plain[text]) for text in plain)
    if whole and max(map(abs, kept)) >= LARGEST_INTEGER:
        return None
    return {
        "kind": "integer" if whole else "float",
        "sentinels": tuple(int(one) if one.is_integer() else one for one in sentinels),
        "marks": {text for text in plain if float(plain[text]) in sentinels},
        "least": min(kept),
        "most": max(kept),
        "heavy": _is_heavy(kept),
        "decimal": decimal,
        # a sign that no number shows is not declared
        "thousands": thousands if thousands and any(thousands in text for text in plain) else None,
        "odd": tuple(sorted(odd, key=lambda text: -counts[text])),
    }


def _plain(text: str, decimal: str, thousands: str | None) -> str:
    return (text.replace(thousands, "") if thousands else text).replace(decimal, ".")


def _is_code(text: str) -> bool:
    """Return whether digits are a code and no number: 007."""
    return len(text) > 1 and text[0] == "0" and text.isdigit()


def _far_out(numbers: Counter[float]) -> list[float]:
    """Return repeated extremes that look like a mark: all nines, far from everything else."""
    found: list[float] = []
    left = sorted(numbers)
    total = sum(numbers.values())
    while len(left) > 2:
        low, high = left[0], left[-1]
        for mark, rest in ((low, left[1:]), (high, left[:-1])):
            span = rest[-1] - rest[0]
            gap = rest[0] - mark if mark == low else mark - rest[-1]
            often = numbers[mark] >= max(2, total / 5000)
            nines = bool(NINES.fullmatch(f"{mark:.15g}")) and abs(mark) >= 99
            if often and math.isfinite(mark) and ((nines and gap > 0.3 * span) or gap > 20 * span > 0):
                found.append(mark)
                left = rest
                break
        else:
            break
    return found


def _is_heavy(numbers: dict[float, int]) -> bool:
    total, seen = sum(numbers.values()), 0
    most = max(map(abs, numbers))
    for number in sorted(numbers, key=abs):
        seen += numbers[number]
        if seen >= 0.99 * total:
            return most > 4 * abs(number)
    return False


def _labels(counts: Counter[str], rows: int) -> dict[str, Any]:
    lengths = sum(len(text) * seen for text, seen in counts.items()) / sum(counts.values())
    blanks = sum(1 for text in counts if " " in text) / len(counts)
    many = len(counts) > max(FEW_LABELS, rows / 20)
    kind = "text" if many and (lengths > LONG_TEXT or blanks > 0.5) else "category"
    sentinels = tuple(sorted(text for text in counts if text in MISSING_LABELS)) if len(counts) > 1 else ()
    labels = tuple(text for text, _ in counts.most_common(FEW_LABELS + 1) if text not in sentinels)
    return {"kind": kind, "sentinels": sentinels, "labels": labels if len(labels) <= FEW_LABELS else ()}


def outward(low: float, high: float, *, whole: bool, heavy: bool) -> tuple[float, float]:
    """Return bounds around numbers, so far out that unseen ones should lie within, and rounded; never below 0 for nothing."""
    room = (high - low if low < 0 else max(high, 0)) * (9 if heavy else 1)
    top = _round_up(high + room) if high + room > 0 else 0
    bottom = -_round_up(room - low) if low < 0 else 0
    return (int(bottom), int(top)) if whole else (bottom, top)


def _round_up(number: float) -> float:
    if number == 0:
        return 0
    scale = 10.0 ** math.floor(math.log10(number))
    step = next(step for step in (1, 2, 5, 10) if step * scale >= number * (1 - 1e-12))
    return float(f"{step * scale:.12g}")
