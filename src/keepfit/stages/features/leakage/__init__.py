"""A proof on the data as it was ingested: independent tests, each of which looks for a trace of the future.

What a definition alone can leak is refused by `keepfit.spec.check`. Here the rows are looked at: are they read as they
were known, do they say when they were known, and is what the model learns from too good to be true?

Add a test by writing a function `(Material) -> Tested` and naming it in `TESTS`.
"""

from __future__ import annotations

from collections.abc import Callable

from keepfit.evidence import Tested
from keepfit.stages.features.leakage.corrections import corrections
from keepfit.stages.features.leakage.deletion import deletion, label_window
from keepfit.stages.features.leakage.material import Material, gathered
from keepfit.stages.features.leakage.outcome import outcome
from keepfit.stages.features.leakage.parts import parts
from keepfit.stages.features.leakage.presence import presence
from keepfit.stages.features.leakage.records import records
from keepfit.stages.features.leakage.twins import twins

__all__ = ["TESTS", "Material", "gathered", "prove"]

TESTS: tuple[Callable[[Material], Tested], ...] = (
    deletion,
    label_window,
    presence,
    records,
    corrections,
    outcome,
    parts,
    twins,
)


def prove(material: Material) -> tuple[Tested, ...]:
    """Return what each test compared and found, all of them in one pass."""
    return tuple(test(material) for test in TESTS)
