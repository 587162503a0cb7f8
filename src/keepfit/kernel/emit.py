"""From what a window holds to its outputs: each function's value, read once at an observation."""

from __future__ import annotations

import math

from keepfit.kernel import decay, exact, moments, ranks
from keepfit.kernel.compiling import called, compiled
from keepfit.kernel.program import (
    COUNT,
    DAY_US,
    DISTINCT,
    ENTROPY,
    EWM,
    FIRST,
    LAST,
    MAX,
    MEAN,
    MIN,
    NEEDS_SQUARES,
    NEEDS_SUM,
    OUTPUT_FUNCTION,
    OUTPUT_PLACE,
    QUANTILE,
    STD,
    SUM,
    TIME_SINCE_FIRST,
    TIME_SINCE_LAST,
    TREND,
    VAR,
    Encoding,
)
from keepfit.kernel.queues import EARLIEST, HIGHEST_VALUE, LOWEST_VALUE
from keepfit.kernel.state import DISTINCT as DISTINCT_VALUES
from keepfit.kernel.state import ENTROPY as ENTROPY_TERMS
from keepfit.kernel.state import (
    EXAMPLE,
    INSIDE,
    LATEST,
    PRODUCTS,
    RANKS,
    SQUARES,
    SUMS,
    TIMES,
    TIMES_SQUARED,
    TREE,
    WEIGHTED,
    WEIGHTS,
    WORK,
    Floats,
    Slot,
    front,
)


@compiled
def emit(encoding: Encoding, slot: Slot, first: int, stop: int, now: int, out: Floats) -> None:
    """Write the outputs first : stop, those of the slot, at one observation; `out` is its [outputs]."""
    count, work = slot.tally[INSIDE], slot.digits[WORK:]
    total, scale, spread, spread_scale = 0.0, 0, 0.0, 0
    if slot.needs & NEEDS_SUM:
        total, scale = exact.total(slot.digits[SUMS], work)
    if slot.needs & NEEDS_SQUARES:
        spread, spread_scale = moments.spread(slot.digits[SUMS], slot.digits[SQUARES], count, work)
    for output in range(first, stop):
        function = encoding.outputs[output, OUTPUT_FUNCTION]
        result = math.nan
        if function == COUNT:
            result = float(count)
        elif function == SUM:
            result = exact.scaled(total, scale)
        elif count == 0:
            pass
        elif function == MEAN:
            result = exact.scaled(total / count, scale)  # divided before scaling: the sum may overflow, its mean cannot
        elif function == STD:
            result = moments.deviation(spread, spread_scale, count)
        elif function == VAR:
            result = moments.variance(spread, spread_scale, count)
        elif function == MIN:
            result = slot.column[front(slot, LOWEST_VALUE)]
        elif function == MAX:
            result = slot.column[front(slot, HIGHEST_VALUE)]
        elif function == FIRST:
            result = slot.column[front(slot, EARLIEST)]
        elif function == LAST:
            result = slot.column[slot.tally[LATEST]]
        elif function == TIME_SINCE_LAST:
            result = (now - slot.time[slot.tally[LATEST]]) / DAY_US
        elif function == TIME_SINCE_FIRST:
            result = (now - slot.time[front(slot, EARLIEST)]) / DAY_US
        else:
            result = _rare(slot, function, encoding.parameters[output])
        out[encoding.outputs[output, OUTPUT_PLACE]] = result


@called
def _rare(slot: Slot, function: int, parameter: float) -> float:
    """Return the value of a function that few programs have; something is inside."""
    tally, digits, count = slot.tally, slot.digits, slot.tally[INSIDE]
    work = digits[WORK:]
    if function == DISTINCT:
        return float(tally[DISTINCT_VALUES])
    if function == ENTROPY:
        return ranks.entropy(digits[ENTROPY_TERMS], count, tally[DISTINCT_VALUES], work)
    if function == QUANTILE:
        return ranks.quantile(slot.lanes[TREE], tally[RANKS], slot.lanes[EXAMPLE], slot.column, count, parameter)
    if function == TREND:
        return moments.slope(
            digits[SUMS], digits[PRODUCTS], digits[TIMES], digits[TIMES_SQUARED], count, float(DAY_US), work
        )
    if function == EWM:
        return decay.decayed_mean(digits[WEIGHTED], digits[WEIGHTS], work)
    return math.nan
