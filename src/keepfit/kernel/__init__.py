"""One sweep computes every point-in-time window aggregate, offline and online alike.

Events and observations sorted by (entity, time) are walked once, with two cursors per window. All running
state is exact (integer arithmetic in `exact`), so a result depends on the window's events alone and never on
the path that led there: ten years of history and a request over the last 200 events give the same bits.

`program` says what to compute (plain data), `sweep` walks, `state` is what a window holds, `emit` reads it. State is made
of exact sums (`exact`, and on it `moments` for variances and trends, `decay` for weighted means), of `queues` for
minima, maxima and the first row, and of `ranks` for distinct values, entropies and quantiles.

A new aggregate is a name in `program.FUNCTIONS` with what it needs, its state in `state.include` and `state.exclude`, and
its value in `emit`. The package itself imports none of them, so that declaring a program never loads numba.
"""
