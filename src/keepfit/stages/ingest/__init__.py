"""Raw files to lake tables: discover, check under the contract, quarantine, append. Twice adds nothing."""

from keepfit.stages.ingest.expectations import standing, state
from keepfit.stages.ingest.ingest import begins, ingest, unread
from keepfit.stages.ingest.quarantine import BadRow, in_quarantine
from keepfit.stages.ingest.release import Released, Wish, release
from keepfit.stages.ingest.said import Broken, Ingested, Progress, Waiting, first_error

__all__ = [
    "BadRow",
    "Broken",
    "Ingested",
    "Progress",
    "Released",
    "Waiting",
    "Wish",
    "begins",
    "first_error",
    "in_quarantine",
    "ingest",
    "release",
    "standing",
    "state",
    "unread",
]
