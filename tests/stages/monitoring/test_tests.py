"""Each test of drift answers what its source says: held against scipy, against river, or against a case worked by hand."""

from __future__ import annotations

import random
from itertools import count

import numpy as np
import pytest
from scipy import special, stats
from scipy.spatial import distance

from keepfit.stages.monitoring.tests import LABELS, NUMBERS, TESTS, Adwin, PageHinkley
from keepfit.stages.monitoring.tests.chi_square import chi_square
from keepfit.stages.monitoring.tests.counts import counts
from keepfit.stages.monitoring.tests.domain_classifier import domain_classifier
from keepfit.stages.monitoring.tests.ks import ks
from keepfit.stages.monitoring.tests.psi import psi
from keepfit.stages.monitoring.tests.tails import chi_square_tail, hypergeometric, kolmogorov, student

BEFORE, AFTER = np.array([5.0, 300, 500, 200, 30]), np.array([40.0, 100, 300, 260, 0])
EDGES = np.array([0.0, 1.0, 3.0])


@pytest.mark.parametrize("name", TESTS)
@pytest.mark.parametrize("edges", [EDGES, None])
def test_every_test_is_silent_without_rows_and_about_equal_shares(name: str, edges: np.ndarray | None) -> None:
    for before, after in ((BEFORE, 0 * AFTER), (0 * BEFORE, AFTER), (BEFORE, BEFORE), (BEFORE, 10 * BEFORE)):
        found = TESTS[name].measure(counts(before, after, edges))
        assert found.statistic == pytest.approx(0, abs=1e-12)
        assert np.isnan(found.p_value) or found.p_value > 0.4


def test_every_test_fits_numbers_or_labels() -> None:
    assert {kind for test in TESTS.values() for kind in test.fits} == {NUMBERS, LABELS}
    assert counts(BEFORE, AFTER).of == LABELS


def test_jensen_shannon_equals_scipy() -> None:
    found = TESTS["jensen_shannon"].measure(counts(BEFORE, AFTER))
    assert found.statistic == pytest.approx(distance.jensenshannon(BEFORE, AFTER, base=2))


def test_wasserstein_is_about_that_of_the_rows() -> None:
    rng = np.random.default_rng(3)
    before, after = rng.normal(size=40_000), rng.normal(0.3, 1.2, 40_000)
    edges = np.quantile(before, np.arange(1, 100) / 100)
    bins = [np.bincount(np.searchsorted(edges, rows, side="right"), minlength=100) for rows in (before, after)]
    found = TESTS["wasserstein"].measure(counts(*(np.concatenate([[7], one]) for one in bins), edges)).statistic
    assert found == pytest.approx(stats.wasserstein_distance(before, after) / before.std(), rel=0.1)


def test_wasserstein_of_a_case_worked_by_hand() -> None:
    # bins [-1,0) [0,1) [1,2), all rows in the first and the last: sd 1; half of the last moves to the middle, by 1
    found = TESTS["wasserstein"].measure(counts([0, 50, 0, 50], [0, 50, 25, 25], np.array([0.0, 1.0])))
    assert found.statistic == pytest.approx(0.25)


def test_missingness_and_new_categories_equal_fisher_of_scipy() -> None:
    nulls = [[40, 660], [5, 1030]]
    found = TESTS["missingness"].measure(counts(BEFORE, AFTER))
    assert found.statistic == pytest.approx(40 / 700 - 5 / 1035)
    assert found.p_value == pytest.approx(2 * stats.fisher_exact(nulls, alternative="greater").pvalue, rel=1e-9)
    new = TESTS["new_categories"].measure(counts([0, 90, 1], [0, 90, 9]))
    assert new.p_value == pytest.approx(stats.fisher_exact([[9, 90], [1, 90]], alternative="greater").pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("found", "drawn", "marked", "total"), [(3, 50, 20, 500), (0, 5, 5, 9), (60, 90, 100, 200), (9, 9, 9, 9)]
)
def test_hypergeometric_equals_scipy(found: int, drawn: int, marked: int, total: int) -> None:
    expected = stats.hypergeom.sf(found - 1, total, marked, drawn)
    assert hypergeometric(found, drawn, marked, total) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("degrees", [1, 2.5, 11, 400])
@pytest.mark.parametrize("t", [1e-6, 0.7, 3.0, 40.0])
def test_student_equals_scipy(t: float, degrees: float) -> None:
    assert student(t, degrees) == pytest.approx(2 * stats.t.sf(t, degrees), rel=1e-9)
    assert student(t, float("inf")) == pytest.approx(2 * stats.norm.sf(t), rel=1e-9)


def test_a_domain_classifier_sees_columns_that_no_longer_move_together() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(size=(2000, 1))
    together = np.hstack([first, first + rng.normal(size=(2000, 1)) / 2])
    apart = np.hstack([together[:1000, :1], rng.permutation(together[:1000, 1:])])
    area, p_value = domain_classifier(together[1000:], apart)
    assert area > 0.6
    assert p_value < 1e-9
    area, p_value = domain_classifier(together[1000:], together[:1000])
    assert p_value > 0.01
    assert domain_classifier(together[:5], apart) == (0.5, 1.0)


def stream(seed: int) -> list[float]:
    rng = random.Random(seed)
    parts = ((0, 1, 1000), (0.5, 1, 1000), (0.5, 2, 500), (-1, 1, 700))
    return [rng.gauss(mean, spread) for mean, spread, length in parts for _ in range(length)]


# what river 0.26.1 answers to these streams
@pytest.mark.parametrize(
    ("seed", "cuts", "changes"),
    [
        (1, [(1151, 256), (2175, 768), (2559, 160)], [277, 544, 1019, 1785, 2063, 2247, 2339, 2400, 2517, 2892]),
        (2, [(1087, 224), (2559, 320)], [153, 1024, 1757, 2205, 2284, 2348, 2429, 2517, 3177]),
        (3, [(1151, 768), (2527, 256)], [310, 843, 972, 1146, 1561, 2032, 2135, 2375, 2504, 3088]),
    ],
)
def test_tests_of_streams_equal_river(seed: int, cuts: list[tuple[int, int]], changes: list[int]) -> None:
    adwin, found = Adwin(), []
    for place, value in zip(count(), stream(seed)):
        if adwin.update(value):
            found.append((place, adwin.width))
            adwin = Adwin()  # river begins anew
    assert found == cuts
    hinkley = PageHinkley(threshold=30)
    assert [place for place, value in enumerate(stream(seed)) if hinkley.update(value)] == changes


def test_adwin_keeps_the_newer_part_of_its_window() -> None:
    adwin, values = Adwin(), [*[0.0] * 500, *[1.0] * 500]
    cut = [place for place, value in enumerate(values) if adwin.update(value)]
    assert 500 < cut[0] < 600
    assert adwin.mean > 0.99
    assert adwin.variance < 0.01


def test_psi_of_large_samples_is_the_textbook_sum() -> None:
    before, after = np.array([3e6, 5e6, 2e6]), np.array([2e6, 5e6, 3e6])
    p, q = before / 1e7, after / 1e7
    assert psi(before, after) == pytest.approx(((p - q) * np.log(p / q)).sum(), abs=1e-5)


def test_psi_ignores_bins_that_are_empty_in_both() -> None:
    before, after = np.array([50.0, 50.0]), np.array([20.0, 80.0])
    assert psi(np.append(before, 0), np.append(after, 0)) == psi(before, after)


def test_kolmogorov_equals_scipy() -> None:
    for x in (0.1, 0.25, 0.5, 1.0, 2.0, 5.0):
        assert kolmogorov(x) == pytest.approx(special.kolmogorov(x), abs=1e-12)


def test_the_p_value_of_ks_is_close_to_the_exact_one() -> None:
    before, after = (
        np.random.default_rng(seed).normal(far, 1, size) for seed, far, size in ((5, 0, 150), (6, 0.2, 120))
    )
    exact = stats.ks_2samp(before, after, method="exact")
    every = np.union1d(before, after)
    counts = [np.isin(every, values).astype(np.float64) for values in (before, after)]
    statistic, p_value = ks(*counts)
    assert statistic == pytest.approx(exact.statistic)
    assert p_value == pytest.approx(exact.pvalue, rel=0.1)


@pytest.mark.parametrize("degrees", [1, 2, 3, 8, 51])
@pytest.mark.parametrize("statistic", [0.01, 1.0, 30.0, 500.0])
def test_chi_square_tail_equals_scipy(degrees: int, statistic: float) -> None:
    assert chi_square_tail(statistic, degrees) == pytest.approx(
        special.chdtrc(degrees, statistic), rel=1e-9, abs=1e-300
    )


def test_chi_square_equals_scipy_on_full_cells() -> None:
    before, after = np.array([30.0, 50.0, 20.0]), np.array([60.0, 50.0, 90.0])
    expected = stats.chi2_contingency(np.stack([before, after]), correction=False)
    assert chi_square(before, after) == pytest.approx((expected.statistic, expected.pvalue))


def test_rare_labels_are_pooled_before_chi_square() -> None:
    before, after = np.array([500.0, 480.0, *[1.0] * 20]), np.array([50.0, 50.0, *[0.0] * 20])
    pooled = stats.chi2_contingency([[500, 480, 20], [50, 50, 0]], correction=False)
    # 20 + 0 rare rows expect 1.8 in the smaller sample even together; they stay one cell, not twenty.
    assert chi_square(before, after) == pytest.approx((pooled.statistic, pooled.pvalue))
