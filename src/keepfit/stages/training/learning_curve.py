"""What fewer rows would have made of a model: whether a longer history promises more, or its oldest part is no help.

Parts are the newest rows before the validation rows, not rows at random: what a project can have more or less of is history,
and a random part would know as much of the latest months as all rows do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from keepfit.answers import Answers
from keepfit.errors import TrainingError
from keepfit.spec.model import Model
from keepfit.stages.training.grow import ChooseThreshold, NothingToLearn, TrainingRows, grow
from keepfit.stages.training.split import split

SHARES = (0.1, 0.25, 0.5)


@dataclass(frozen=True)
class Part:
    """A model that learnt from the newest part of the train rows.

    Attributes
    ----------
    share : float
        Wanted part of the train rows.
    rows : int
        Train rows it has; whole moments, so that it may be more than the share.
    from_at : int
        The first of their moments.
    threshold : float
        Chosen on the same validation rows as of the whole.
    scores : float64 array [test rows] or [test rows, columns]
        Its answers by the library's own predictors.
    """

    share: float
    rows: int
    from_at: int
    threshold: float
    scores: Answers


def learning_curve(model: Model, rows: TrainingRows, *, seed: int, choose_threshold: ChooseThreshold) -> Iterator[Part]:
    """Yield what the same training makes of the newest tenth, quarter and half of the train rows.

    Each is stopped and decided on the validation rows, learns from them as well, and is judged on the test rows, as the model is.
    A part that has nothing to learn, of one class or of one value, is left out.
    """
    parts = split(rows.t, model.horizon, model.tested)
    trained_at = rows.t[parts.train]
    for share in SHARES:
        since = trained_at[len(trained_at) - max(1, int(len(trained_at) * share))]
        some = replace(parts, train=parts.train & (rows.t >= since))
        try:
            found = grow(model, rows, some, seed=seed, choose_threshold=choose_threshold)
        except NothingToLearn:
            continue
        except TrainingError as error:
            error.add_note(f"learnt from the newest {share:.0%} of the train rows only: Training(learning_curve=True)")
            raise
        count = int(found.split.train.sum())
        yield Part(share, count, int(since), found.threshold, found.answers(found.matrix[found.split.test]))
