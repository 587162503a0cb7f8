"""How good predictions are: metrics, the trivial baseline to beat, intervals, and how such numbers read in a sentence.

Below the stages, so that evaluation (before a promotion) and monitoring (after it) measure with the same code. Pure
functions on numpy arrays. A new metric is an entry in `keepfit.spec.metric.METRICS` and its sums in
`keepfit.measure.metrics.SUMS`, or, if it looks at the order of scores, its method in `keepfit.measure.ranking.RANKED`.
"""
