"""How versions, gates and the ledger read in a terminal."""

from __future__ import annotations

from typing import Any

from keepfit import clock
from keepfit.cli import console
from keepfit.evidence import Entry
from keepfit.measure.wording import number

LOOP = "the loop"
DIGITS = 10
"""Of a digest, as a reader compares two."""


def versions(found: dict[str, Any]) -> None:
    """Print one line a version, the newest last."""
    heads = ["model", "version", "", "metric", "90% interval", "gates", "trained", "age", "approved by", "lineage"]
    console.table(heads, [_version(one) for one in found["versions"]])
    for one in found["versions"]:
        if one["outcome"]:
            console.say(f"{one['model']} version {one['version']}: {one['outcome']}")


def _version(one: dict[str, Any]) -> list[Any]:
    passed, failed = len(one["gates_passed"]), one["gates_failed"]
    lacks = f" (failed: {', '.join(failed)})" if failed else ""
    measured = one["value"] is not None
    return [
        one["model"],
        one["version"],
        one["alias"] or one["retired"] or "",
        f"{one['metric']} {number(one['value'])}" if measured else "",
        f"{number(one['low'])} to {number(one['high'])}" if measured and one["low"] is not None else "",
        one["refused"] or (f"{passed} of {passed + len(failed)}{lacks}" if passed or failed else ""),
        clock.show(one["trained_at"]),
        f"{one['age_days']:.0f} d",
        ", ".join(one["approved_by"]),
        _lineage(one["lineage"]),
    ]


def _lineage(found: dict[str, Any]) -> str:
    tables = ", ".join(f"{name} v{version}" for name, version in found.get("tables", {}).items())
    definition = str(found.get("definition", ""))[:DIGITS]
    return f"{tables}; definition {definition}" if found else ""


def gates(found: dict[str, Any]) -> None:
    """Print one line a gate."""
    console.say(
        f"{found['model']} version {found['version']} ({found['evidence']}), as of {clock.show(found['as_of'])}"
    )
    if not found["gates"]:
        console.say("no gates are declared: it may be promoted")
        return
    rows = [
        [
            one["gate"],
            "-" if one["value"] is None else number(one["value"]),
            number(one["bound"]),
            "passed" if one["passed"] else "FAILED",
            one["evidence"],
            one["reason"],
        ]
        for one in found["gates"]
    ]
    console.table(["gate", "value", "bound", "verdict", "evidence", "reason"], rows)


def parity(found: dict[str, Any]) -> None:
    """Print what each way to an answer answers otherwise than the batch, and the rows that differ most."""
    if found["from_at"] is None:
        return console.say(f"{found['model']} version {found['version']}: there is no row to answer yet")
    span = f"{found['from_at']} to {found['to_at']}"
    console.say(f"{found['model']} version {found['version']}, rows of {span}, {found['population']:,} to choose from")
    heads = ["way", "rows", "largest difference", "decisions flipped", "rows concerned", "features computed otherwise"]
    console.table(heads, [_way(name, one) for name, one in found["routes"].items()])
    for name, one in found["routes"].items():
        if one["refused"]:
            console.say(f"{name}: {one['refused']}")
        if one["flipped"] or one["skewed"]:
            for row in one["worst"]:
                console.say(f"{name}: {_differing(row)}")
    for verdict in found["verdicts"]:
        console.say(f"{'passed' if verdict.passed else 'FAILED'}: {verdict.reason}")


def certified(found: dict[str, Any]) -> str:
    """Return a certificate in a line: what each way answers otherwise than the batch."""
    told = [f"{name} {_way(name, one)[2]}, {one['flipped']:,} flipped" for name, one in found["routes"].items()]
    rows = max((one["rows"] for one in found["routes"].values()), default=0)
    return f"parity on {rows:,} rows, largest difference to a batch: {'; '.join(told) or 'no way was measured'}"


def _way(name: str, one: dict[str, Any]) -> list[Any]:
    difference = "no number" if one["largest_difference"] is None else f"{one['largest_difference']:.2g}"
    skewed = ", ".join(f"{feature} ({rows:,})" for feature, rows in one["skewed"].items())
    return [name, f"{one['rows']:,}", difference, f"{one['flipped']:,}", f"{one['concerned']:,}", skewed]


def _differing(row: dict[str, Any]) -> str:
    scores = f"{_value(row['expected'])} in a batch, {_value(row['found'])} here"
    features = "".join(f"; {name} {_value(there)}, {_value(here)}" for name, (there, here) in row["features"].items())
    return f"{row['entity']} at {row['t_at']}: {scores}{features}"


def _value(value: Any) -> str:
    return "null" if value is None else number(value) if isinstance(value, float) else str(value)


def moved(found: dict[str, Any]) -> None:
    """Print who is the champion now."""
    console.say(f"champion of {found['model']}: version {found['champion']} (before: {found['before'] or 'none'})")


def decided(found: dict[str, Any]) -> None:
    """Print what somebody decided on a version, and what came of it."""
    words = {"approve": "approved", "reject": "rejected", "challenge": "made the challenger", "archive": "archived"}
    what = f"version {found['version']} of {found['model']}"
    console.say(f"{what} is {words[found['decision']]} by {found['by']}")
    if found.get("promoted"):
        console.say("it passes every gate and is the champion now")
    for reason in found.get("lacking", ()):
        console.say(f"not promoted: {reason}")
    if found["decision"] == "approve" and not found["promoted"] and not found["lacking"]:
        console.say(f"it is not the challenger: keepfit promote {found['model']} {found['version']}")


def ledger(found: dict[str, Any]) -> None:
    """Print what was live, and the steps that led there."""
    for one in found["live"]:
        _live(one, found["as_of"])
    console.table(
        ["as of", "model", "step", "version", "champion", "by", "evidence", "why"],
        [_step(one) for one in found["steps"]],
    )
    for step in found["steps"]:
        if step.outcome:
            console.say(f"{step.id} ({step.action}, version {step.about or step.version}): {step.outcome}")


def _live(one: dict[str, Any], as_of: int) -> None:
    if one["version"] is None:
        console.say(f"{one['model']} as of {clock.show(as_of)}: no champion")
        return
    console.say(f"{one['model']} as of {clock.show(as_of)}: version {one['version']} was live")
    told = {gate["reason"] for gate in one["gates"]}
    why = "; ".join(reason for reason in one["reasons"] if reason not in told)
    console.say(f"  since:     {clock.show(one['since_at'])}, {one['action']} by {one['by'] or LOOP}: {why}")
    console.say(f"  evidence:  {one['evidence'] or 'none was recorded'}")
    if one["outcome"]:
        console.say(f"  outcome:   {one['outcome']}")
    for gate in one["gates"]:
        console.say(f"  gate:      {'passed' if gate['passed'] else 'FAILED'}  {gate['reason']}")
    if one["overridden"]:
        console.say(f"  override:  in spite of {', '.join(one['overridden'])}")
    for given in one["approvals"]:
        console.say(f"  approved:  {given['at']} by {given['by']}: {given['why']}")


def _step(one: Entry) -> list[Any]:
    more = f" (+{len(one.reasons) - 1})" if len(one.reasons) > 1 else ""
    why = (one.reasons[0] if one.reasons else "") + more
    evidence, _, digest = one.evidence.partition("@")
    return [
        clock.show(one.as_of),
        one.model,
        one.action,
        one.about or one.version,
        one.version,
        one.by or LOOP,
        f"{evidence}@{digest[:DIGITS]}" if digest else evidence,
        why,
    ]


def exported(found: dict[str, Any]) -> None:
    """Print what was written, and what it lost."""
    console.say(f"{found['model']} version {found['version']} as {found['format']}: {found['path']}")
    for name, size in found["files"].items():
        console.say(f"  {name}: {size:,} bytes")
    if "bytes_after" in found:
        console.say(
            f"size: {found['bytes_before']:,} -> {found['bytes_after']:,} bytes ({found['bytes_rewritten']:,} without rounding);"
            f" compressed {found['gzip_before']:,} -> {found['gzip_after']:,}"
        )
    if "rows" in found:
        console.say(f"largest difference of an answer: {found['largest_difference']:.3g} on {found['rows']:,} rows")
    if found.get("flipped") is not None:
        console.say(f"flipped decisions: {found['flipped']:,} of {found['rows']:,}")


def pushed(found: dict[str, Any]) -> None:
    """Print what was sent."""
    for one in found["sent"]:
        console.say(f"{one['origin']}: {one['files']} files, {one['bytes']:,} bytes")
    for alias in found["aliases"]:
        console.say(f"{alias} was moved there")
    count = len(found["sent"])
    told = f"{count} version{'' if count == 1 else 's'} sent to {found['remote']}"
    console.say(told if count else "all of it is there: nothing was sent")


def pulled(found: dict[str, Any]) -> None:
    """Print what came, and what became of the aliases."""
    for one in found["came"]:
        console.say(f"{one['origin']}: version {one['version']} of {one['model']} here, {one['files']} files")
    if not found["came"] and not found["failed"]:
        console.say("all of it is here: nothing came")
    for one in found["failed"]:
        console.say(
            f"a version of {one['model']} did not come: {one['what']}\n  where: {one['where']}\n  fix:   {one['fix']}"
        )
    for one in found["aliases"]:
        place = f"the {one['alias']} here" if one["alias"] else "given no alias here"
        console.say(f"version {one['version']}, the {one['there']} there, is {place}")
        for reason in one["lacking"]:
            console.say(f"not promoted: {reason}")
