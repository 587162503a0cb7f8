"""What is said of turns: laws that hold of any history, and how it reads."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.evidence import (
    FRESHNESS,
    KEEP,
    PROMOTE,
    ROLL_BACK,
    SEVERITIES,
    Estimate,
    Estimated,
    Sign,
    Symptom,
    as_data,
    from_data,
)
from keepfit.evidence.alerts import NEW, QUALITY, RESOLVED, TRAINING
from keepfit.stages.alerting import Held, follow
from keepfit.stages.alerting.follow import at_least
from keepfit.stages.alerting.words import lines, title

from .world import DAY, RULES, START, turn

COLUMNS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["warning", "critical"]))
QUALITIES = st.sets(st.sampled_from("xy")).map(
    lambda names: tuple(Symptom(QUALITY, name, "critical", f"{name} is bad") for name in sorted(names))
)
TURNS = st.lists(
    st.tuples(
        st.integers(1, 3), COLUMNS, st.none() | st.floats(0.5, 1), QUALITIES, st.sampled_from([KEEP, ROLL_BACK]), st.booleans()
    ),
    max_size=12,
)  # fmt: skip


def history(said):
    """Return turns, a number of days apart each; a blocked one measures nothing."""
    day, made = 0, []
    for days, drifted, f1, symptoms, decision, blocked in said:
        day += days
        more = {"drift": (), "blocked": True} if blocked else {}
        made.append(turn(day, drifted, None if blocked else f1, symptoms=symptoms, decision=decision, **more))
    return made


def visible(one):
    """Return what a turn shows, by what tells alerts apart."""
    found = {("drift", moved.column): moved.severity for moved in one.drift if moved.significant}
    found |= {(symptom.kind, symptom.about): symptom.severity for symptom in one.symptoms}
    return found | ({("metric", "f1"): "critical"} if one.realised and one.realised.metrics["f1"] < 0.8 else {})


@settings(max_examples=60, deadline=None)
@given(TURNS, st.integers(1, 3))
def test_nothing_is_said_twice_nothing_is_lost_and_what_passes_is_said_once(said, cooldown):
    rules, held = replace(RULES, cooldown=cooldown * DAY), Held()
    spoken = defaultdict(list)
    ids = set()
    for one in history(said):
        messages, after = follow(one, held, rules)
        assert follow(one, after, rules) == ((), after)  # the same turn again
        assert follow(replace(one, as_of=START - DAY), after, rules) == ((), after)  # one that is older
        for told in messages:
            assert told.id not in ids and told.notices
            assert len({other.kind for other in messages}) == len(messages)  # grouped
            ids.add(told.id)
            for notice in told.notices:
                spoken[notice.fingerprint].append((told.as_of, notice))
        known = {(alert.kind, alert.about): alert for alert in after.alerts if alert.active}
        assert visible(one).items() <= {key: alert.severity for key, alert in known.items()}.items()
        for alert in (alert for alert in known.values() if alert.seen_at == one.as_of):
            assert one.as_of - alert.told_at < cooldown * DAY
            if alert.told == RESOLVED:  # it came back: held back for a cooldown, unless it is critical
                assert alert.severity != "critical"
            else:
                assert SEVERITIES.index(alert.severity) <= SEVERITIES.index(alert.told)
        held = after
    assert from_data(Held, json.loads(json.dumps(as_data(held)))) == held
    for every in spoken.values():
        told, statuses = [at for at, _ in every], [notice.status for _, notice in every]
        assert told == sorted(set(told))  # once a turn at most
        # each begins, and ends before it begins again
        assert statuses[0] == NEW
        for before, now in itertools.pairwise(statuses):
            assert (now == NEW) == (before == RESOLVED)


def test_a_turn_that_could_not_look_resolves_nothing():
    _, held = follow(turn(0, {"amount": "warning"}, 0.7, symptoms=(FAILED,)), Held(), RULES)
    messages, held = follow(turn(1, drift=(), blocked=True), held, RULES)
    assert messages == ()
    assert [alert.active for alert in held.alerts] == [True] * 3
    messages, _ = follow(turn(2, f1=0.9), held, RULES)
    # nothing was trained since the training that failed
    assert [(one.kind, one.resolved) for one in messages] == [("metric", True), ("drift", True)]


FAILED = Symptom(TRAINING, "training", "warning", "the training failed: out of memory")


def test_what_it_says_has_the_numbers():
    estimated = Estimated("3", START, START, 1690, {"f1": Estimate(0.71, 0.69, 0.73, 1690)}, {}, "")
    first = turn(0, {"amount": "warning", "visits": "critical"}, 0.7912, estimated=estimated)
    messages, held = follow(first, Held(), RULES)
    assert [line for one in messages for line in lines(one)] == [
        "critical: f1 0.791 on 1,593 matured rows of 2025-06-01 is below 0.8 (version 3)",
        "warning: f1, estimated without labels, 0.71 [0.69, 0.73] on 1,690 predictions is surely below 0.8 (version 3)",
        "critical: visits drifted: psi 0.31, chance 0.0001 < 0.002, on 1,593 rows",
        "warning: amount drifted: psi 0.31, chance 0.0001 < 0.002, on 1,593 rows",
    ]
    assert title(messages[2]) == "critical: churn: drift of visits and 1 more (2025-06-01)"
    assert [len(at_least(one, "critical").notices) for one in messages if at_least(one, "critical")] == [1, 1]
    messages, _ = follow(turn(3, {"amount": "critical"}), held, RULES)
    assert [line.partition(":")[0] for line in lines(messages[0])] == ["critical, was warning", "resolved"]


def test_a_decision_is_told_once_and_never_resolved():
    rules = replace(RULES, severity="info")
    first = turn(0, decision=ROLL_BACK, reasons=("version 3 does worse than version 2: gain -0.1 on 90 rows",))
    (said,), held = follow(first, Held(), rules)
    assert said.notices[0].sentence.startswith("roll back (version 3): version 3 does worse")
    for day in (1, 2, 3):
        messages, held = follow(turn(day), held, rules)
        assert messages == ()
    assert held.alerts == ()
    (said,), _ = follow(turn(4, decision=PROMOTE), held, rules)
    assert (said.severity, follow(turn(4, decision=PROMOTE), held, RULES)[0]) == ("info", ())


def test_what_was_unusual_of_a_table_that_the_model_reads_no_more_is_over():
    old, still = (Sign(FRESHNESS, table, 3.0, one, "late") for table, one in (("calls", "warning"), ("sales", "info")))
    _, held = follow(turn(0, signs=(old, still)), Held(), RULES)
    assert [one.active for one in held.alerts] == [True]
    _, held = follow(turn(1), held, RULES)
    assert [one.active for one in held.alerts] == [True]
    _, held = follow(turn(2, signs=(still,)), held, RULES)
    assert [one.active for one in held.alerts] == [False]
