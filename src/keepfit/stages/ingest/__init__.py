"""Raw files to lake tables: discover, check under the contract, quarantine, append. Twice adds nothing."""

from keepfit.stages.ingest.expectations import state
from keepfit.stages.ingest.ingest import begins, ingest, unread
from keepfit.stages.ingest.said import Broken, Ingested, Progress, Waiting, first_error

__all__ = ["Broken", "Ingested", "Progress", "Waiting", "begins", "first_error", "ingest", "state", "unread"]
