"""What is said of an estimator of scikit-learn that cannot be made as it is declared."""

from __future__ import annotations

from keepfit.errors import DefinitionError
from keepfit.stages.training.estimators import Task


def where(task: Task) -> str:
    """Return where the estimator is declared."""
    return f"definitions.py, {task.of}(...)" if ":" not in task.of else f"definitions.py, Sklearn({task.of!r})"


def refused(task: Task, why: str) -> DefinitionError:
    """Return the error of parameters that the class does not take."""
    what = f"scikit-learn refuses the parameters of {task.of}: {why.replace('__init__() ', '').strip().splitlines()[0]}"
    return DefinitionError(what, where=where(task), fix="see the parameters of the class in its documentation")
