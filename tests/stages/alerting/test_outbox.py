"""What waits to be sent: in order, later each time, never lost."""

from __future__ import annotations

import pytest

from keepfit.stages.alerting import Held, Outbox, Undelivered, follow, send

from .world import DAY, NOW, RULES, turn

MINUTE = 60_000_000


class Scripted:
    """A channel that fails as it is told, and keeps what it took."""

    def __init__(self, *troubles):
        self.troubles, self.taken, self.asked = list(troubles), [], 0

    def send(self, message, now):
        self.asked += 1
        if self.troubles and (trouble := self.troubles.pop(0)) is not None:
            raise trouble
        self.taken.append(message.notices[0].about)
        return ""


@pytest.fixture
def outbox(tmp_path):
    """Return one with three messages: of f1, of amount, of visits."""
    outbox, held = Outbox(tmp_path / "state" / "alerts.db"), Held()
    for step, told in enumerate([turn(0, f1=0.7), turn(1, {"amount": "warning"}), turn(2, {"visits": "critical"})]):
        said, held = follow(told, held, RULES)
        for _ in range(2):  # a step that is taken up again
            outbox.commit("churn", step, held, said, {"one": "warning", "two": "critical"})
    assert outbox.held("churn") == (2, held)
    return outbox


def test_each_channel_gets_what_is_severe_enough_once_and_in_order(outbox):
    one, two = Scripted(), Scripted()
    assert [(done.sent, done.waiting) for done in send(outbox, {"one": one, "two": two}, NOW)] == [(3, 0), (2, 0)]
    assert (one.taken, two.taken) == (["f1", "amount", "visits"], ["f1", "visits"])
    assert [done.sent for done in send(outbox, {"one": one, "two": two}, NOW + DAY)] == [0, 0]
    assert len(outbox.taken()) == 5


def test_a_channel_that_is_down_loses_nothing_and_is_asked_later_and_later(outbox):
    one, now, pauses = Scripted(*[Undelivered("it is not reached")] * 11), NOW, []
    for _ in range(11):
        (done,) = send(outbox, {"one": one}, now)
        assert (done.sent, done.waiting, done.problem) == (0, 3, "it is not reached")
        assert send(outbox, {"one": one}, now)[0].sent == 0  # too early: it is not even asked
        due = min(waiting.due_at for waiting in outbox.waiting() if waiting.channel == "one")
        pauses.append((due - now) // MINUTE)
        now = due
    assert (pauses, one.asked) == ([1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360], 11)
    outbox.make_due()
    assert send(outbox, {"one": one}, now)[0].waiting == 0
    assert one.taken == ["f1", "amount", "visits"]


def test_a_message_that_is_refused_holds_up_no_other(outbox):
    one = Scripted(Undelivered("it answered 400", of_message=True), ValueError("https://secret"))
    (done,) = send(outbox, {"one": one}, NOW)
    assert (one.taken, done.waiting, done.problem) == ([], 3, "it failed: ValueError")
    send(outbox, {"one": one}, NOW + 2 * MINUTE)
    assert one.taken == ["f1", "amount", "visits"]


def test_what_a_sender_took_and_never_ended_is_sent_by_another(outbox):
    first = outbox.claim("one", NOW)  # killed here
    outbox.make_due()  # what is being sent stays whose it is
    one = Scripted()
    send(outbox, {"one": one}, NOW)
    assert (first.message.notices[0].about, one.taken) == ("f1", ["amount", "visits"])
    send(outbox, {"one": one}, NOW + 10 * MINUTE)
    assert one.taken[-1] == "f1"
