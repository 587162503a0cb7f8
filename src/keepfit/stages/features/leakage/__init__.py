"""A proof on the data as it was ingested: independent tests, each of which looks for a trace of the future.

What a definition alone can leak is refused by `keepfit.spec.check`. Here the rows are looked at: are they read as they
were known, do they say when they were known, and is what the model learns from too good to be true?

Add a test by writing a function `(Material) -> Tested` and naming it in `TESTS`.
"""

from __future__ import annotations

from collections.abc import Callable

from keepfit.evidence import Tested
from keepfit.stages.features.leakage.corrections import corrected_later
from keepfit.stages.features.leakage.deletion import features_without_future, targets_of_their_window
from keepfit.stages.features.leakage.material import Material, gathered
from keepfit.stages.features.leakage.outcome import too_good
from keepfit.stages.features.leakage.parts import split_apart
from keepfit.stages.features.leakage.presence import observed_were_there
from keepfit.stages.features.leakage.records import records_of_today
from keepfit.stages.features.leakage.twins import one_under_two_keys

__all__ = ["TESTS", "Material", "gathered", "prove"]

TESTS: tuple[Callable[[Material], Tested], ...] = (
    features_without_future,
    targets_of_their_window,
    observed_were_there,
    records_of_today,
    corrected_later,
    too_good,
    split_apart,
    one_under_two_keys,
)


def prove(material: Material) -> tuple[Tested, ...]:
    """Return what each test compared and found, all of them in one pass."""
    return tuple(test(material) for test in TESTS)
