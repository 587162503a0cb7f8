"""Raw files to lake tables: discover, check under the contract, quarantine, append. Twice adds nothing."""

from keepfit.stages.ingest.expectations import standing, state
from keepfit.stages.ingest.ingest import begins, ends, ingest, unread
from keepfit.stages.ingest.quarantine import BadRow, in_quarantine
from keepfit.stages.ingest.release import Released, Wish, release
from keepfit.stages.ingest.said import Broken, Ingested, Progress, Waiting, first_error, ingested_data, ingested_from

__all__ = [
    "BadRow",
    "Broken",
    "Ingested",
    "Progress",
    "Released",
    "Waiting",
    "Wish",
    "begins",
    "ends",
    "first_error",
    "in_quarantine",
    "ingest",
    "ingested_data",
    "ingested_from",
    "release",
    "standing",
    "state",
    "unread",
]
