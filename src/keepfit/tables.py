"""The tables that pass between stages: grain, keys, time column and units, declared here and nowhere else.

Source tables (the team's own Events and Records) live beside them in the lake, under `source/<name>`; their columns
are those of the definition plus the four of `ROW`. All times are TIMESTAMPTZ in UTC. Every table is append-only.
"""

from __future__ import annotations

from dataclasses import dataclass

# Where each row of a source table came from, and the order it came in.
ROW = {
    "_file": "VARCHAR",  # path relative to the data folder
    "_record": "BIGINT",  # the record's number in the file, from 1, headers not counted
    "_order": "BIGINT",  # the file's place among all ever read * 2**32 + _record: breaks ties of equal times
    "_known": "TIMESTAMPTZ",  # when the row became known; for Records without time, null
}


@dataclass(frozen=True)
class Declared:
    """A table that a stage writes and another reads.

    Parameters
    ----------
    name : str
        Its path in the lake.
    grain : str
        What one row is.
    keys : tuple of str
        The columns that tell rows apart.
    time : str
        The column that orders it.
    columns : dict
        Column names and DuckDB types.
    """

    name: str
    grain: str
    keys: tuple[str, ...]
    time: str
    columns: dict[str, str]


FILES = Declared(
    "files",
    grain="one raw file as it was ingested",
    keys=("table", "path", "digest", "declared"),
    time="as_of",
    columns={
        "table": "VARCHAR",
        "path": "VARCHAR",
        "digest": "VARCHAR",  # BLAKE3 of the bytes, and of the columns that its name holds
        "identity": "VARCHAR",  # what told that it had not changed, without reading it
        "bytes": "BIGINT",
        "header": "VARCHAR",  # its columns, as a JSON list
        "types": "VARCHAR",  # JSON, column -> physical type, where the format has any
        "rows_read": "BIGINT",
        "appended": "BIGINT",
        "quarantined": "BIGINT",
        "repeated": "BIGINT",  # rows left out because they repeat another one entirely
        "version": "BIGINT",  # of the source table, after the append
        "declared": "VARCHAR",  # fingerprint of the table's declaration when the file was read
        "as_of": "TIMESTAMPTZ",
    },
)

QUARANTINE = Declared(
    "quarantine",
    grain="one raw row that broke its contract",
    keys=("table", "file", "line"),
    time="as_of",
    columns={
        "table": "VARCHAR",
        "file": "VARCHAR",
        "digest": "VARCHAR",
        "line": "BIGINT",  # the first of the row in the file, counting the header; null if it is not known
        "record": "BIGINT",  # as `_record` of a source table; null if it is no record
        "reason": "VARCHAR",  # all broken rules, joined by '; '
        "raw": "VARCHAR",  # the row as JSON, header -> text as read
        "declared": "VARCHAR",  # fingerprint of the declaration that it broke
        "as_of": "TIMESTAMPTZ",
    },
)

QUALITY = Declared(
    "quality",
    grain="one measurement of a load, for each expectation about it; or that a user accepted a table as it is",
    keys=("load", "dimension", "column", "min", "max"),
    time="as_of",
    columns={
        "load": "VARCHAR",  # digest of table, as_of and version
        "table": "VARCHAR",
        "as_of": "TIMESTAMPTZ",
        "version": "BIGINT",  # of the source table, after the load
        "dimension": "VARCHAR",  # completeness, validity, uniqueness, timeliness, volume, relative volume; accepted
        "column": "VARCHAR",  # null: the rows
        "value": "DOUBLE",  # a share; days; rows; rows over the median of earlier loads
        "baseline": "DOUBLE",  # median of the earlier loads
        "rows": "BIGINT",  # what it was measured on
        "min": "DOUBLE",
        "max": "DOUBLE",
        "otherwise": "VARCHAR",  # block or warn; null where nothing was expected
        "passed": "BOOLEAN",  # null where nothing was expected
    },
)

RELEASED = Declared(
    "released",
    grain="one row that was to leave the quarantine; it did if the source table has the mark of its release",
    keys=("table", "file", "since", "line", "record"),
    time="as_of",
    columns={
        "table": "VARCHAR",
        "file": "VARCHAR",
        "digest": "VARCHAR",
        "since": "BIGINT",  # version of the source table after its file was read
        "line": "BIGINT",  # as in quarantine; -1 if there is none
        "record": "BIGINT",  # as in quarantine; -1 if it is no record, whose `_record` is 2**31 + its line
        "raw": "VARCHAR",  # the row as JSON, header -> text, as it was released
        "edited": "BOOLEAN",  # whether that was written by hand
        "release": "VARCHAR",  # mark of the commit that appended it
        "as_of": "TIMESTAMPTZ",
    },
)

PREDICTIONS = Declared(
    "predictions",
    grain="one answer: a model version's prediction for an observation",
    keys=("request_id",),
    time="t",
    columns={
        "request_id": "VARCHAR",
        "model": "VARCHAR",
        "version": "VARCHAR",
        "entity": "VARCHAR",  # null of ready rows
        "t": "TIMESTAMPTZ",  # the observation's moment; of ready rows, when they came
        "score": "DOUBLE",  # probability of the positive class or of the label, or the predicted value
        "positive": "BOOLEAN",  # score >= threshold; null unless the target is a comparison
        "threshold": "DOUBLE",
        "origin": "VARCHAR",  # batch, request, canary, shadow: told to nobody, or rows: of ready features, of no entity
        "features": "VARCHAR",  # JSON, name -> value as the model saw it
        "low": "DOUBLE",  # bounds of the predicted value; null where the model declares no interval
        "high": "DOUBLE",
        "label": "VARCHAR",  # the likeliest of several, whose probability the score is; null of other targets
        "scores": "VARCHAR",  # JSON, label -> probability
    },
)

METRICS = Declared(
    "metrics",
    grain="one measured number",
    keys=("evidence_id",),
    time="as_of",
    columns={
        "evidence_id": "VARCHAR",
        "as_of": "TIMESTAMPTZ",
        "model": "VARCHAR",
        "version": "VARCHAR",
        "stage": "VARCHAR",  # evaluation, realised, estimated, drift, sign
        # the metric, statistic:column, or kind of sign:what it is of; of drift also chance, effect and severity (0, 1, 2)
        "name": "VARCHAR",
        "value": "DOUBLE",
        "baseline": "DOUBLE",  # of the constant; of a chance, the bound below which it is an alarm
        "rows": "BIGINT",
        "from": "TIMESTAMPTZ",  # first and last t of the rows it was measured on
        "to": "TIMESTAMPTZ",
        "low": "DOUBLE",  # 90% interval of what is estimated; where a sign usually lies; else null
        "high": "DOUBLE",
    },
)

DECISIONS = Declared(
    "decisions",
    grain="one step of the ledger: a decision and what it was based on",
    keys=("decision_id",),
    time="as_of",
    columns={
        "decision_id": "VARCHAR",
        "step": "BIGINT",  # ascending: tells the order of steps of one as_of
        "as_of": "TIMESTAMPTZ",
        "model": "VARCHAR",
        "action": "VARCHAR",
        "version": "VARCHAR",  # champion after the step
        "challenger": "VARCHAR",  # the version that was trained, or that a person decided on
        "reasons": "VARCHAR",  # JSON list of sentences
        "turn": "VARCHAR",  # JSON of the whole evidence.Turn
        "by": "VARCHAR",  # who took the step; null: the loop
        "evidence": "VARCHAR",  # model/version@digest that the step is based on
        "overridden": "VARCHAR",  # JSON list of the gates in spite of which a version was promoted
        "inputs": "VARCHAR",  # JSON, table -> the version of it that a turn was decided on; -1 of one that was not there
        "definition": "VARCHAR",  # fingerprint of the model's definition in that turn
    },
)


OUTCOMES = Declared(
    "outcomes",
    grain="what became of one step of the ledger, measured once its labels were known",
    keys=("decision_id",),
    time="as_of",
    columns={
        "decision_id": "VARCHAR",  # the step, as in decisions
        "as_of": "TIMESTAMPTZ",
        "model": "VARCHAR",
        "action": "VARCHAR",  # promote, roll back or reject
        "version": "VARCHAR",  # champion after the step
        "other": "VARCHAR",  # the version that it took the place of, or that was rejected
        "metric": "VARCHAR",
        "value": "DOUBLE",  # gain of version over other on the same rows, positive is better; null if it cannot be told
        "low": "DOUBLE",  # its 90% interval
        "high": "DOUBLE",
        "rows": "BIGINT",
        "from": "TIMESTAMPTZ",  # the predictions that it is about: t in [from, to)
        "to": "TIMESTAMPTZ",
        "sentence": "VARCHAR",
    },
)

FEATURE_SETS = Declared(
    "feature_sets",
    grain="one version of a model's feature set",
    keys=("model", "version"),
    time="as_of",
    columns={
        "model": "VARCHAR",
        "version": "BIGINT",  # from 1; a new one when a definition, or a table it reads, changed
        "fingerprint": "VARCHAR",
        "as_of": "TIMESTAMPTZ",
        "features": "VARCHAR",  # JSON, name -> fingerprint
    },
)


TUNING = Declared(
    "tuning_results",
    grain="one set of parameters that a search tried",
    keys=("search", "trial"),
    time="as_of",
    columns={
        "search": "VARCHAR",
        "trial": "BIGINT",
        "as_of": "TIMESTAMPTZ",
        "model": "VARCHAR",
        "metric": "VARCHAR",
        "value": "DOUBLE",  # mean of the folds; null if the trial was given up or failed
        "folds": "VARCHAR",  # JSON list: the metric on each fold, the oldest first
        "state": "VARCHAR",  # complete, pruned or failed
        "parameters": "VARCHAR",  # JSON
        "reason": "VARCHAR",  # why it failed
        "best": "BOOLEAN",
    },
)


def training_set(model: str) -> str:
    """Return the lake path of a model's training sets; grain: one mature observation, keys entity and t."""
    return f"training/{model}"


def source(table: str) -> str:
    """Return the lake path of a source table."""
    return f"source/{table}"
