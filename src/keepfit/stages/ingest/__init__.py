"""Raw files to lake tables: discover, check under the contract, quarantine, append. Twice adds nothing."""

from keepfit.stages.ingest.ingest import Ingested, Waiting, begins, ingest, unread

__all__ = ["Ingested", "Waiting", "begins", "ingest", "unread"]
