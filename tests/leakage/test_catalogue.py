"""Leaks that lie in the rows, or in a faulty engine: each is planted in a small project, and `check leakage` finds it.

To add a pattern, add a line to `PLANTED`: what arrives when, or what is sabotaged, and the test that must raise the alarm.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from keepfit import actions, clock
from keepfit.engines.local import LocalEngine
from keepfit.kernel import lower as kernel_lower
from keepfit.kernel.program import Window
from keepfit.stages.features import observe as observing
from keepfit.stages.features.leakage import deletion, material
from keepfit.stages.training.split import Split

from .conftest import moment, people, sales, text

AS_OF = moment(200)
PEOPLE = 'people = Records("people", Files("people*.csv"), entity="who", columns={"age": Integer()})'
SALES = (
    'sales = Events("sales", Files("sales*.csv"), entity="who", time="at", quiet="30d", columns={"amount": Float()})'
)
MODEL = """m = Model("m", Every("1 week", of=people, active=sales.within("60d")),
    [sales.amount.sum(last="30d"), sales.count(last="30d"), people.age], sales.count(next="30d") == 0)"""
CLEAN = f"{PEOPLE}\n{SALES}\n{MODEL}\n"
LATE = CLEAN.replace('time="at"', 'time="at", known="noticed"')
GONE = {f"p{n:02}" for n in range(0, 40, 2)}


def rows(until=200.0, seed=1):
    return sales((0, until), seed=seed)


def noticed(found, share=0.2):
    """Return rows that were known at once, but a share of them 20 days later."""
    lottery = random.Random(3)
    return [[who, at, amount, moment(at + (20 if lottery.random() < share else 0))] for who, at, amount in found]


@dataclass(frozen=True)
class Planted:
    """A leak: what arrives when, and who must say what.

    Attributes
    ----------
    by : str
        The test that raises the alarm.
    words : str
        What its sentence holds.
    """

    by: str
    words: str
    arrivals: Callable[[], list[tuple[str, dict[str, str]]]]
    definitions: str = CLEAN
    sabotage: Callable[[pytest.MonkeyPatch], None] = lambda patch: None


def at_once(records=None, events=None, header="who,at,amount"):
    return lambda: [(AS_OF, {"people.csv": (records or people)(), "sales.csv": text((events or rows)(), header)})]


# columns that know the outcome


def reasons():
    """Return records whose last column, why somebody left, was written when they had left."""
    return people(extra=lambda n: "moved" if n % 2 == 0 else "active", header="status")


def closed():
    """Return records with the number of the closing letter, null for who is still there."""
    return people(extra=lambda n: str(7 * n) if n % 2 == 0 else "", header="letter")


def hinted():
    """Return rows that hold, beside the amount, nearly what will be bought in the 30 days after."""
    lottery, found = random.Random(5), rows()
    total = lambda who, at: sum(row[2] for row in found if row[0] == who and at < row[1] <= at + 34)  # noqa: E731
    return [[who, at, amount, round(total(who, at) + lottery.gauss(0, 0.01), 4)] for who, at, amount in found]


TAUGHT = f"""{SALES.replace("}", ', "hint": Float()}')}
m = Model("m", EachRow(of=sales), [sales.amount.sum(last="30d"), sales.hint.last()], sales.amount.sum(next="34d"))"""
STATUS = CLEAN.replace("Integer()", 'Integer(), "status": Category()', 1).replace(
    "people.age]", "people.age, people.status]"
)
LETTER = CLEAN.replace("Integer()", 'Integer(), "letter": Integer()', 1).replace(
    "people.age]", "people.age, people.letter]"
)
# of the time after half of the people had gone
AFTER = 'm = Model("m", Every("1 week", of=people, active=sales.within("300d")),'
STATUS, LETTER = (text.replace(MODEL.splitlines()[0], AFTER) for text in (STATUS, LETTER))


def gone_at_once():
    """Return rows of a world in which half of the people bought on the first day and never again."""
    return [row for row in sales(every=3.0, away=0.0) if row[0] not in GONE or row[1] < 4]


# tables that change


def aged():
    return people().replace(",33\n", ",34\n").replace(",40\n", ",41\n")


def edited():
    before = {"people.csv": people(), "sales.csv": text(rows(150))}
    return [(moment(150), before), (AS_OF, {"people.csv": aged(), "sales_2.csv": text(sales((150, 200)))})]


def updated_by_a_second_file():
    before = {"people.csv": people(), "sales.csv": text(rows(150))}
    return [(moment(150), before), (AS_OF, {"people_new.csv": "who,age\np13,34\n"})]


def forgotten():
    before = {"people.csv": people(), "sales.csv": text(rows())}
    return [(moment(150), before), (AS_OF, {"people.csv": people(30)})]


def not_there_yet():
    late = [row for row in rows() if row[0] < "p20" or row[1] > 120]
    return [(AS_OF, {"people.csv": people(), "sales.csv": text(late)})]


# corrections


def corrected():
    first = rows(150)
    second = [[who, at, amount + 50] for who, at, amount in first[100:110]] + sales((150, 200))
    return [(moment(150), {"people.csv": people(), "sales_1.csv": text(first)}), (AS_OF, {"sales_2.csv": text(second)})]


def second_version():
    first = rows()
    second = [[who, at, amount + (50 if n % 10 == 0 else 0)] for n, (who, at, amount) in enumerate(first[200:400])]
    return [(AS_OF, {"people.csv": people(), "sales_1.csv": text(first), "sales_1_corrected.csv": text(second)})]


def found_later():
    lottery = random.Random(4)
    lost = {n for n in range(len(rows())) if lottery.random() < 0.05}
    there = [row for n, row in enumerate(rows()) if n not in lost and row[1] < 150]
    after = [row for n, row in enumerate(rows()) if n in lost or row[1] >= 150]
    return [(moment(150), {"people.csv": people(), "sales_1.csv": text(there)}), (AS_OF, {"sales_2.csv": text(after)})]


def sent_weeks_later():
    """Return 18 ordinary files of ten days, in which one row of ten stands three weeks after it happened."""
    lottery = random.Random(6)
    stood = sorted((row[1] + (21 if lottery.random() < 0.1 else 0), row) for row in rows())
    files = {n: text([row for day, row in stood if n * 10 <= day < n * 10 + 10]) for n in range(20)}
    found = [(moment(10 * n + 10), {f"sales_{n:02}.csv": content}) for n, content in files.items()]
    return [(found[0][0], {"people.csv": people(), **found[0][1]}), *found[1:]]


def doubled():
    twins = [[f"q{row[0][1:]}", *row[1:]] for row in rows() if row[0] < "p04"]
    records = people() + "".join(f"q{n:02},{20 + n}\n" for n in range(4))
    return [(AS_OF, {"people.csv": records, "sales.csv": text(sorted(rows() + twins, key=lambda row: row[1]))})]


# sabotage: faults of the engine, the kernel, the split


def ignores_known(patch):
    events = LocalEngine.events
    patch.setattr(LocalEngine, "events", lambda *given: (replace(run, known=None) for run in events(*given)))


def window_closed_at_t(patch):
    patch.setattr(kernel_lower, "Window", lambda start, end: Window(start, end + 1 if end == 0 else end))


def window_of_tomorrow(patch):
    patch.setattr(kernel_lower, "Window", lambda start, end: Window(start, end + clock.DAY if end == 0 else end))


def target_from_yesterday(patch):
    patch.setattr(kernel_lower, "Window", lambda start, end: Window(start - clock.DAY if end > 0 else start, end))


def target_one_day_longer(patch):
    patch.setattr(kernel_lower, "Window", lambda start, end: Window(start, end + clock.DAY if end > 0 else end))


def newest_record(patch):
    attributes = LocalEngine.attributes
    without = lambda table: dataclasses.replace(table, time=None)  # noqa: E731
    patch.setattr(LocalEngine, "attributes", lambda self, table, *rest: attributes(self, without(table), *rest))


def scaled_by_all_rows(patch):
    """Divide a feature by the largest value there is, as a scaler does that was fitted on everything."""
    compute = deletion.compute

    def scaled(expressions, snapshot, rows):
        table = expressions[0].leaves()[0].events
        largest = snapshot.engine.rows(snapshot.files(table))
        return {
            name: values / len(largest) if values.dtype != object else values
            for name, values in compute(expressions, snapshot, rows).items()
        }

    patch.setattr(deletion, "compute", scaled)


def entities_of_all_time(patch):
    entities = LocalEngine.entities

    def found(self, table, files, as_of):
        keys, known = entities(self, table, files, as_of)
        return keys, np.full_like(known, np.iinfo(np.int64).min)

    patch.setattr(LocalEngine, "entities", found)


def an_hour_early(patch):
    each = LocalEngine.each_row
    patch.setattr(LocalEngine, "each_row", lambda *given: replace(each(*given), t=each(*given).t - clock.HOUR))


def without_embargo(patch):
    def split(t, horizon, test=None):
        first, second = np.quantile(t, [0.8, 0.9])
        return Split(t < first, (t >= first) & (t < second), t >= second)

    patch.setattr(actions, "split", split)


def shuffled(patch):
    def split(t, horizon, test=None):
        part = np.random.default_rng(0).integers(0, 10, len(t))
        return Split(part < 8, part == 8, part == 9)

    patch.setattr(actions, "split", split)


def overlapping(patch):
    def split(t, horizon, test=None):
        newest = t >= np.quantile(t, 0.9)
        return Split(t + horizon <= np.quantile(t, 0.7), newest, newest)

    patch.setattr(actions, "split", split)


def labels_of_tomorrow(patch):
    def mature(model, snapshot):
        return observing.observe(model, snapshot, until=snapshot.as_of - clock.DAY)

    patch.setattr(material.observe, "mature", mature)


HISTORY = CLEAN.replace('entity="who", columns={"age"', 'entity="who", time="since", columns={"age"')
ROWS = f'{SALES}\nm = Model("m", EachRow(of=sales), [sales.amount.sum(last="30d")], sales.count(next="10d"))'
SEEN = CLEAN.replace(MODEL.splitlines()[0], 'm = Model("m", Every("1 week", of=sales),')
ALL = CLEAN.replace(', active=sales.within("60d")', "")


def versions():
    return "who,since,age\n" + "".join(
        f"p{n:02},{moment(at)},{20 + n + at // 20}\n" for n in range(40) for at in range(0, 200, 20)
    )


def dated_back():
    """Return a history of records, and later a file of versions that have held, it says, for a month."""
    before = [(moment(150), {"people.csv": versions().replace(moment(180), moment(140)), "sales.csv": text(rows())})]
    backdated = "who,since,age\n" + "".join(f"p{n:02},{moment(110)},99\n" for n in range(10))
    return [*before, (AS_OF, {"people_new.csv": backdated})]


def daily():
    """Return rows that all happen at midnight, as the observations do."""
    return [[who, int(at), amount] for who, at, amount in rows()]


LATE_FILES = at_once(events=lambda: noticed(rows()), header="who,at,amount,noticed")

PLANTED = {
    # what a column knows
    "a status that is written when the outcome is known": Planted(
        "outcome", "people_status alone", at_once(reasons, gone_at_once), STATUS
    ),
    "a column that is filled in at the outcome": Planted(
        "outcome", "the nulls of people_letter", at_once(closed, gone_at_once), LETTER
    ),
    "a target copied into a feature, with noise": Planted(
        "outcome", "sales_hint_last alone", at_once(events=hinted, header="who,at,amount,hint"), TAUGHT
    ),
    # what a table knows
    "an attribute that is edited later": Planted("records", "people.age changed", edited),
    "an attribute that a later file overwrites": Planted("records", "people.age changed for 1 of 40", updated_by_a_second_file),
    "entities that are taken out when they leave": Planted("records", "10 of 40 entities (25.0%) were taken out", forgotten),
    "entities that are listed before they come": Planted("records", "nothing has happened yet", not_there_yet, ALL),
    # what came later
    "a correction without known=": Planted("corrections", "10 moments of sales are told otherwise", corrected),
    "a second version of a file": Planted("corrections", "20 moments of sales are told otherwise", second_version),
    "rows that were found later": Planted("corrections", "came after the first ingest", found_later),
    "rows that are always weeks late": Planted("corrections", "came after the first ingest", sent_weeks_later),
    "versions of records that are dated back": Planted("corrections", "came after the first ingest", dated_back, HISTORY),
    "one person under two keys": Planted("twins", "8 of 44 entities", doubled),
    # what a fault lets through
    "an engine that ignores known": Planted("deletion", "sales_", LATE_FILES, LATE, ignores_known),
    "a window that is closed at t": Planted("deletion", "sales_", at_once(events=daily), sabotage=window_closed_at_t),
    "a window that ends tomorrow": Planted("deletion", "sales_", at_once(), sabotage=window_of_tomorrow),
    "an engine that reads the newest record": Planted("deletion", "people_age", at_once(versions), HISTORY, newest_record),
    "a scaler fitted on all rows": Planted("deletion", "sales_amount_sum_30d", at_once(), sabotage=scaled_by_all_rows),
    "an engine that observes who will come": Planted("deletion", "are observed at", not_there_yet, SEEN, entities_of_all_time),
    "an observation before the entity was known": Planted(
        "presence", "before a row of sales", not_there_yet, SEEN, entities_of_all_time
    ),
    "an observation an hour before its row": Planted("presence", "not 1 µs after", at_once(), ROWS, an_hour_early),
    "a target that begins before t": Planted("label window", "sales_count_next_10d", at_once(), ROWS, target_from_yesterday),
    "a target that ends after its horizon": Planted("label window", "sales_count_next_10d", at_once(), ROWS, target_one_day_longer),
    "a split without an embargo": Planted("split", "reaches into validation", at_once(), sabotage=without_embargo),
    "a split by chance": Planted("split", "reaches into test", at_once(), sabotage=shuffled),
    "a split whose parts overlap": Planted("split", "are in two parts", at_once(), sabotage=overlapping),
    "labels that are not over": Planted("split", "is not over yet", at_once(), sabotage=labels_of_tomorrow),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_planted_leak_raises_the_alarm_of_its_test(world, monkeypatch, planted):
    planted.sabotage(monkeypatch)
    found = world.proven(planted.definitions, planted.arrivals(), AS_OF)
    findings = {test.test: test.findings for test in found["tests"]}[planted.by]
    assert found["alarms"] > 0
    assert any(planted.words in finding.what for finding in findings if finding.severity == "alarm"), found["tests"]
    assert all(finding.where and finding.fix and finding.numbers for finding in findings)
