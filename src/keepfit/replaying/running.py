"""Turns of several policies at once: each policy's own turns follow one another, and policies do not wait for each other.

A turn reads the snapshot that all policies share at its moment, through an engine of its own; what one policy makes of a snapshot
the others take (`Snapshot.once`). So the outcome is that of running them one after another, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from keepfit import loop, steps
from keepfit.evidence import Turn
from keepfit.replaying.kept import under_way
from keepfit.replaying.past import Past
from keepfit.stages.training.estimators.threads import one_each

AHEAD = 1
"""Moments that a policy may be ahead of the slowest one: what is made of one more snapshot stays in memory."""


def side_by_side(
    contenders: Sequence[steps.Contender],
    moments: Sequence[int],
    past: Past,
    done: Mapping[str, Sequence[Turn]],
    workers: int,
    listen: Callable[[str, Turn], None],
) -> dict[str, list[Turn]]:
    """Run every turn that is not done, and return all turns by the policy's name.

    Parameters
    ----------
    done : mapping of str to sequence of Turn
        The first turns of each policy that an earlier replay has finished.
    workers : int
        Turns under way at once.
    listen : callable
        Told after each turn, in the thread that called.
    """
    turns = {one.name: list(done[one.name]) for one in contenders}
    left = [one for one in contenders if len(turns[one.name]) < len(moments)]
    # opened here, one after another: MLflow's first use changes how the process is warned
    opened = [one.project.registry.client for one in left]
    running: dict[Future[Turn], steps.Contender] = {}
    with one_each(), ThreadPoolExecutor(max(1, min(workers, len(opened)))) as pool:
        while left := [one for one in left if len(turns[one.name]) < len(moments)]:
            slowest = min(len(turns[one.name]) for one in left)
            past.forget(moments[slowest])
            at_work = {one.name for one in running.values()}
            ready = [one for one in left if one.name not in at_work and len(turns[one.name]) <= slowest + AHEAD]
            ready.sort(key=lambda one: len(turns[one.name]))  # of policies at the same moment, the first one named
            for one in ready[: workers - len(running)]:
                running[pool.submit(_turn, one, moments[len(turns[one.name])], past)] = one
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                one = running.pop(future)
                turns[one.name].append(future.result())
                listen(one.name, turns[one.name][-1])
    return turns


def _turn(one: steps.Contender, moment: int, past: Past) -> Turn:
    ingested, shared = past.at(moment)
    snapshot = shared.through(one.project.engine, one.project.lake)
    with under_way(one):
        return loop.turn(one.project, one.model, moment, ingested=ingested, snapshot=snapshot, online=False)
