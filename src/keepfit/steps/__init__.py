"""What a turn is made of. Each step joins stages that do not know each other; `loop.py` says in which order."""

from keepfit.steps.alerting import alert, open_alerts, symptoms, telling
from keepfit.steps.answering import Loaded, Scored, answer, champion_at, load, require_champion, version_at
from keepfit.steps.building import build
from keepfit.steps.contesting import Contender, contest
from keepfit.steps.expecting import Judged, expected, judged, quarantined, require_expected, stop, tables_of
from keepfit.steps.hindsight import became, entries_judged, outcomes, write_outcomes
from keepfit.steps.judging import verdicts
from keepfit.steps.learning import Challenge, challenge, draft
from keepfit.steps.ledger import (
    aliases_at,
    complete_ledger,
    entries,
    facts,
    require_newest,
    require_no_later_move,
    stood,
    turn_of,
    write_ledger,
)
from keepfit.steps.missing import MOST, Due, due
from keepfit.steps.outputs import (
    distributions_of,
    folder_of,
    leave_watched,
    past,
    stamp,
    watched_of,
    write_files,
    write_history,
)
from keepfit.steps.recording import (
    before,
    collect_requests,
    inputs_of,
    known,
    log_answers,
    log_predictions,
    nothing_predicted,
    publish_online,
    rows_of,
)
from keepfit.steps.watching import watch

__all__ = [
    "MOST",
    "Challenge",
    "Contender",
    "Due",
    "Judged",
    "Loaded",
    "Scored",
    "alert",
    "aliases_at",
    "answer",
    "became",
    "before",
    "build",
    "challenge",
    "champion_at",
    "collect_requests",
    "complete_ledger",
    "contest",
    "distributions_of",
    "draft",
    "due",
    "entries",
    "entries_judged",
    "expected",
    "facts",
    "folder_of",
    "inputs_of",
    "judged",
    "known",
    "leave_watched",
    "load",
    "log_answers",
    "log_predictions",
    "nothing_predicted",
    "open_alerts",
    "outcomes",
    "past",
    "publish_online",
    "quarantined",
    "require_champion",
    "require_expected",
    "require_newest",
    "require_no_later_move",
    "rows_of",
    "stamp",
    "stood",
    "stop",
    "symptoms",
    "tables_of",
    "telling",
    "turn_of",
    "verdicts",
    "version_at",
    "watch",
    "watched_of",
    "write_files",
    "write_history",
    "write_ledger",
    "write_outcomes",
]
