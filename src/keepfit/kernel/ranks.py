"""Distinct values, entropy and quantiles: an entity's values are ranked once, then windows count ranks.

A row's rank stands for its value, 0.0 and -0.0 for one. Counts per rank give the number of distinct values and the
entropy; a Fenwick tree over the ranks (P. Fenwick, Software: Practice and Experience 24, 1994) finds the k-th
smallest value inside. A step costs the logarithm of the entity's number of events, whatever the window's length.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel import exact
from keepfit.kernel.compiling import called, compiled
from keepfit.kernel.exact import Digits

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_BYTE: Final = 256
_BYTES: Final = 8
_TOP_BYTE_FLIP: Final = -(2**63)  # so that bytes order as the doubles do, negative ones first

HISTOGRAM: Final = _BYTES * _BYTE


@called
def rank_values(
    column: Floats,
    begin: int,
    end: int,
    ranks: Integers,
    examples: Integers,
    spare: Integers,
    histogram: Integers,
) -> int:
    """Rank the values of the rows begin : end; return how many different ones there are.

    Parameters
    ----------
    column : float64 [events]
        NaN is a null and gets no rank.
    ranks : int64 [more than end - begin]
        Result: the rank of row begin + i at i.
    examples : int64 [more than end - begin]
        Result: a row that has the rank.
    spare : int64 [3, more than end - begin]
        Scratch.
    histogram : int64 [HISTOGRAM]
        Scratch.
    """
    keys, rows, n = spare[0], examples, 0
    for row in range(begin, end):
        if not math.isnan(column[row]):
            keys[n], rows[n] = _key(column[row]), row
            n += 1
    _sort(keys, rows, spare[1], spare[2], n, histogram)
    found, before = 0, np.int64(0)
    for i in range(n):
        row, key = rows[i], keys[i]
        if i == 0 or key != before:
            found += 1
            before = key
            examples[found - 1] = row
        ranks[row - begin] = found - 1
    return found


@compiled
def _key(x: float) -> int:
    """Return an integer whose bytes, unsigned, order as the doubles do."""
    bits = int(np.float64(x + 0.0).view(np.int64))  # -0.0 + 0.0 is 0.0
    return (bits ^ ((bits >> 63) & 0x7FFF_FFFF_FFFF_FFFF)) ^ _TOP_BYTE_FLIP


@called
def _sort(
    keys: Integers, rows: Integers, other_keys: Integers, other_rows: Integers, n: int, histogram: Integers
) -> None:
    """Order the first `n` keys, and their rows along with them, byte by byte; equal keys keep their order."""
    histogram[:] = 0
    for i in range(n):
        for byte in range(_BYTES):
            histogram[byte * _BYTE + ((keys[i] >> (8 * byte)) & 0xFF)] += 1
    moved = False
    for byte in range(_BYTES):
        counts = histogram[byte * _BYTE : (byte + 1) * _BYTE]
        if n == 0 or counts[(keys[0] >> (8 * byte)) & 0xFF] == n:
            continue  # all keys agree on this byte
        place = 0
        for value in range(_BYTE):
            place, counts[value] = place + counts[value], place
        for i in range(n):
            value = (keys[i] >> (8 * byte)) & 0xFF
            other_keys[counts[value]], other_rows[counts[value]] = keys[i], rows[i]
            counts[value] += 1
        keys, other_keys = other_keys, keys
        rows, other_rows = other_rows, rows
        moved = not moved
    if moved:
        for i in range(n):
            other_keys[i], other_rows[i] = keys[i], rows[i]


@called
def update_entropy(accumulator: Digits, before: int, after: int) -> None:
    """Replace the term of a value that was counted `before` times in the exact sum of c ln(c)."""
    if before > 1:
        exact.add(accumulator, before * math.log(before), -1)
    if after > 1:
        exact.add(accumulator, after * math.log(after), 1)


@called
def entropy(accumulator: Digits, n: int, distinct: int, work: Digits) -> float:
    """Return ln(n) - sum(c ln(c)) / n, in nats: exactly 0.0 for one value, never below."""
    if distinct == 1:
        return 0.0
    mantissa, exponent = exact.total(accumulator, work)
    return max(0.0, math.log(n) - math.ldexp(mantissa, exponent) / n)


@compiled
def update_tree(tree: Integers, size: int, rank: int, times: int) -> None:
    """Count one value more or less in a Fenwick tree; tree[i] counts the ranks from i - (i & -i) to i - 1."""
    i = rank + 1
    while i <= size:
        tree[i] += times
        i += i & -i


@called
def quantile(tree: Integers, size: int, examples: Integers, column: Floats, n: int, q: float) -> float:
    """Return the q-quantile of `n` values, linear between neighbours (type 7); a zero is +0.0.

    Between opposite infinities it is NaN, between a finite value and an infinity that infinity.
    """
    h = (n - 1) * q
    below = math.floor(h)
    share = h - below
    low: float = column[examples[_find(tree, size, below)]] + 0.0
    if share == 0:
        return low
    high: float = column[examples[_find(tree, size, below + 1)]] + 0.0
    if low == high:
        return low
    if math.isinf(high - low):
        return low * (1 - share) + high * share
    return low + (high - low) * share


@compiled
def _find(tree: Integers, size: int, k: int) -> int:
    """Return the rank of the k-th smallest value (from 0)."""
    step = 1
    while 2 * step <= size:
        step *= 2
    passed = 0
    while step > 0:
        if passed + step <= size and tree[passed + step] <= k:
            passed += step
            k -= tree[passed]
        step //= 2
    return passed
