"""What a target is told of a project, and how a target is found by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import cast

from keepfit.errors import SettingsError, did_you_mean
from keepfit.spec.model import Model

GROUP = "keepfit.deployers"
Files = dict[str, bytes]


@dataclass(frozen=True)
class Deployment:
    """One model of a project, to be run elsewhere.

    Attributes
    ----------
    model : str
        Its name: a service answers for one model.
    entity : str
        The field of a request that names the entity.
    profile : str
        The profile of keepfit.yaml that is meant.
    project : mapping of str to bytes
        What the definitions are made of, path -> content: definitions.py, keepfit.yaml and the modules beside them.
    raw_files : str
        The project's folder of raw files as it is reached from the folder that is written.
    extras : tuple of str
        Extras of keepfit that turns need, such as `lightgbm`.
    store : str or None
        The setting `serving.store`: where the online store is, if not in a file.
    declared : Model or None
        The model's definition: what its policy and its gates bound.
    """

    model: str
    entity: str
    profile: str
    project: Mapping[str, bytes]
    raw_files: str
    extras: tuple[str, ...] = ()
    store: str | None = None
    declared: Model | None = None


Deployer = Callable[[Deployment], Files]


def find(target: str) -> Deployer:
    """Return the target of this name.

    Raises
    ------
    SettingsError
        If there is none, with those that there are.
    """
    known = {point.name: point for point in entry_points(group=GROUP)}
    if target not in known:
        raise SettingsError(f"there is no target {target!r}", where="keepfit deploy", fix=did_you_mean(target, known))
    return cast(Deployer, known[target].load())
