"""What a turn is made of. Each step joins stages that do not know each other; `loop.py` says in which order."""

from keepfit.steps.answering import Loaded, Scored, answer, champion_at, load
from keepfit.steps.expecting import Judged, expected, judged, quarantined, require_expected, stop, tables_of
from keepfit.steps.learning import Challenge, build, challenge, draft
from keepfit.steps.recording import (
    before,
    collect_requests,
    complete_ledger,
    facts,
    known,
    log_answers,
    log_predictions,
    nothing_predicted,
    publish_online,
    rows_of,
    write_ledger,
)
from keepfit.steps.watching import watch

__all__ = [
    "Challenge",
    "Judged",
    "Loaded",
    "Scored",
    "answer",
    "before",
    "build",
    "challenge",
    "champion_at",
    "collect_requests",
    "complete_ledger",
    "draft",
    "expected",
    "facts",
    "judged",
    "known",
    "load",
    "log_answers",
    "log_predictions",
    "nothing_predicted",
    "publish_online",
    "quarantined",
    "require_expected",
    "rows_of",
    "stop",
    "tables_of",
    "watch",
    "write_ledger",
]
