"""Tests of drift: one file each, with its formula and its source, and one line in a registry here.

A test of `TESTS` takes two samples counted in the same bins, so that it costs the same for a thousand rows as for a billion,
and answers a statistic, with a p-value where its distribution is known. To add one, write such a function in a file of its own
and name it here. `domain_classifier` looks at rows instead, and those of `STREAMS` take one value at a time.
"""

from keepfit.stages.monitoring.tests.adwin import Adwin
from keepfit.stages.monitoring.tests.chi_square import homogeneity
from keepfit.stages.monitoring.tests.counts import LABELS, NUMBERS, Counts, Outcome, Test
from keepfit.stages.monitoring.tests.jensen_shannon import jensen_shannon
from keepfit.stages.monitoring.tests.ks import distance
from keepfit.stages.monitoring.tests.missingness import missingness
from keepfit.stages.monitoring.tests.new_categories import new_categories
from keepfit.stages.monitoring.tests.page_hinkley import PageHinkley
from keepfit.stages.monitoring.tests.psi import stability
from keepfit.stages.monitoring.tests.wasserstein import wasserstein

TESTS: dict[str, Test] = {
    "psi": Test(stability),
    "ks": Test(distance, (NUMBERS,)),
    "jensen_shannon": Test(jensen_shannon),
    "wasserstein": Test(wasserstein, (NUMBERS,)),
    "chi_square": Test(homogeneity, (LABELS,)),
    "missingness": Test(missingness),
    "new_categories": Test(new_categories, (LABELS,)),
}

STREAMS = {"page_hinkley": PageHinkley, "adwin": Adwin}

__all__ = ["LABELS", "NUMBERS", "STREAMS", "TESTS", "Adwin", "Counts", "Outcome", "PageHinkley", "Test"]
