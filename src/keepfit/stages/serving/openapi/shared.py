"""What all routes have in common: how an operation is described, and what can go wrong with any of them."""

from __future__ import annotations

from typing import Any

from keepfit.stages.serving.openapi.columns import TEXT, Schema, closed

JSON = "application/json"
PROBLEM: Schema = {
    "type": "object",
    "description": "what went wrong, at which field, and how to mend it",
    "properties": {
        "error": {**TEXT, "description": "the kind of error"},
        "what": {**TEXT, "description": "one sentence"},
        "where": {**TEXT, "description": "the field, with its place in a list: [3].customer_id"},
        "fix": {**TEXT, "description": "what to do about it"},
        "request_id": {**TEXT, "description": "of an unforeseen error: what to look for in the server's log"},
        "status": {**TEXT, "description": "of /readyz: not ready"},
        "refusals": {
            "type": "array",
            "description": "of a list of events: what is wrong with each, of the first hundred",
            "items": closed(dict.fromkeys(("what", "where", "fix"), TEXT), ["what", "where", "fix"]),
        },
    },
    "required": ["error", "what", "where", "fix"],
}
PROBLEMS = {
    400: "the body is not JSON",
    401: "a token is needed, or this one is not known",
    403: "the token may not do this",
    404: "nothing is known of the entity",
    408: "the request took too long to come",
    409: "this Idempotency-Key came with another body before",
    413: "the body is larger than 1 MB",
    422: "the request does not fit; `where` names the field",
    429: "too many requests of this client",
    500: "an error that was not foreseen; `request_id` stands in the server's log",
    503: "no version answers yet, or the server has more to do than it can",
}
ANY = (401, 403, 408, 429, 500, 503)
BODY = (400, 413, 422)
WAIT = {
    "Retry-After": {"description": "in how many seconds to try again, if that is known", "schema": {"type": "integer"}}
}


def operation(
    name: str, tag: str, summary: str, answers: Schema, problems: tuple[int, ...] = (), **more: Any
) -> Schema:
    """Return an operation: what it is called, what it answers, and what can go wrong with it."""
    wrong = {str(code): {"$ref": f"#/components/responses/{code}"} for code in sorted({*problems, *ANY})}
    return {"operationId": name, "tags": [tag], "summary": summary, **more, "responses": {**answers, **wrong}}


def answer(status: int, meaning: str, schema: Schema, examples: Schema | None = None) -> Schema:
    """Return the response of one status."""
    shown = {"examples": examples} if examples else {}
    return {str(status): {"description": meaning, "content": {JSON: {"schema": schema, **shown}}}}


def body(schema: Schema, examples: Schema) -> Schema:
    """Return the body that a request must have."""
    return {"required": True, "content": {JSON: {"schema": schema, "examples": examples}}}


def responses() -> Schema:
    """Return `components.responses`: one for each status of an error."""
    problem = {JSON: {"schema": ref("Problem")}}
    return {
        str(code): {"description": what, "content": problem, **({"headers": WAIT} if code in (429, 503) else {})}
        for code, what in PROBLEMS.items()
    }


def ref(name: str) -> Schema:
    """Return a reference to a component's schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def example(summary: str, value: Any) -> Schema:
    """Return a named example."""
    return {"summary": summary, "value": value}
