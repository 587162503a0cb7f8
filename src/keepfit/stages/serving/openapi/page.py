"""`/docs`: the document as one page of HTML, without a script and without a request to anywhere."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from starlette.types import Receive, Scope, Send

from keepfit.stages.serving.openapi.columns import Schema

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
h1 { font-size: 1.6rem; margin-bottom: 0; }
h2 { margin-top: 2.2rem; border-bottom: 1px solid #8a96a580; font-size: 1.2rem; }
h4 { margin: 1rem 0 .3rem; font-size: .95rem; }
p { margin: .4rem 0; }
a { color: #0b57d0; }
.soft { color: #667283; }
details { border: 1px solid #8a96a580; border-radius: 6px; margin: .6rem 0; padding: 0 .9rem; }
details[open] { padding-bottom: .8rem; }
summary { cursor: pointer; padding: .55rem 0; }
.method { display: inline-block; min-width: 3.2rem; font-weight: 600; color: #0a7a45; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { background: #8a96a520; padding: .6rem .8rem; border-radius: 6px; overflow-x: auto; margin: .3rem 0; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #8a96a530; }
@media (prefers-color-scheme: dark) {
  body { background: #14181e; color: #e4e8ee; } .soft { color: #9aa6b5; } a { color: #8ab4f8; } .method { color: #6fd6a0; }
}
"""
HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
]
WIDTH = 110


def docs_page(document: Schema) -> str:
    """Return the page of a document."""
    info = document["info"]
    routes = [(path, method, told) for path, each in document["paths"].items() for method, told in each.items()]
    groups = "".join(
        f"<h2>{escape(tag['name'])}</h2><p class=soft>{escape(tag['description'])}</p>"
        + "".join(
            _route(*route, document["components"]["responses"]) for route in routes if tag["name"] in route[2]["tags"]
        )
        for tag in document["tags"]
    )
    schemas = "".join(_schema(name, told) for name, told in document["components"]["schemas"].items())
    title, version, said = (escape(info[name]) for name in ("title", "version", "description"))
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title>"
        f"<meta name=viewport content='width=device-width'><style>{STYLE}</style></head><body>"
        f"<h1>{title}</h1><p class=soft>version {version} · <a href=openapi.json>openapi.json</a></p>"
        f"<p>{said}</p>{groups}<h2>schemas</h2>{schemas}</body></html>"
    )


class DocsRoute:
    """Answers with the page of what `document` returns."""

    def __init__(self, document: Any) -> None:
        self._document = document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        page = docs_page(self._document()).encode()
        length = (b"content-length", str(len(page)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
        await send({"type": "http.response.body", "body": page})


def _route(path: str, method: str, told: Schema, shared: Schema) -> str:
    head = f"<span class=method>{method.upper()}</span> <code>{escape(path)}</code> {escape(told['summary'])}"
    parts = [f"<p>{escape(told['description'])}</p>"] if "description" in told else []
    parts += [_parameters(told["parameters"])] if "parameters" in told else []
    shown = _content(told.get("requestBody", {})).get("examples", {})
    parts += [_example(one["summary"], _curl(method, path, one["value"])) for one in shown.values()]
    if not shown:
        parts.append(_example("Request", _curl(method, path, None)))
    for status, response in told["responses"].items():
        examples = _content(response).get("examples", {})
        parts += [_example(f"{status}: {one['summary']}", _written(one["value"])) for one in examples.values()]
    parts.append(_answers(told["responses"], shared))
    return _folded(told["operationId"], head, "".join(parts))


def _answers(responses: Schema, shared: Schema) -> str:
    meaning = {status: (shared.get(status) or told).get("description", "") for status, told in responses.items()}
    rows = "".join(
        f"<tr><td><code>{status}</code></td><td>{escape(what)}</td></tr>" for status, what in meaning.items()
    )
    return f"<h4>Answers</h4><table>{rows}</table>"


def _content(described: Schema) -> Schema:
    found: Schema = described.get("content", {}).get("application/json", {})
    return found


def _parameters(parameters: list[Schema]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{one['in']}</td><td>{escape(one['description'])}</td></tr>"
        for one in parameters
    )
    return f"<h4>Parameters</h4><table>{rows}</table>"


def _example(title: str, text: str) -> str:
    return f"<h4>{escape(title)}</h4><pre>{escape(text)}</pre>"


def _curl(method: str, path: str, value: Any) -> str:
    if value is None:
        return f"curl -s localhost:8000{path}"
    text = _written(value).replace("'", r"'\''")
    return f"curl -s localhost:8000{path} -d '{text}'"


def _written(value: Any) -> str:
    short = json.dumps(value, ensure_ascii=False)
    return short if len(short) < WIDTH else json.dumps(value, ensure_ascii=False, indent=2)


def _schema(name: str, told: Schema) -> str:
    required = told.get("required", ())
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code>{'' if field in required else ' <span class=soft>optional</span>'}</td>"
        f"<td><code>{escape(_kind(one))}</code></td><td>{escape(one.get('description', ''))}</td></tr>"
        for field, one in told.get("properties", {}).items()
    )
    return _folded(f"schema-{name}", f"<code>{escape(name)}</code>", f"<table>{rows}</table>")


def _folded(name: str, head: str, content: str) -> str:
    return f'<details id="{escape(name)}"><summary>{head}</summary>{content}</details>'


def _kind(told: Schema) -> str:
    """Return a type in a few words, with its bounds."""
    if "$ref" in told:
        return str(told["$ref"]).rpartition("/")[2]
    if "const" in told:
        return repr(told["const"])
    if "enum" in told:
        return " | ".join(map(repr, told["enum"]))
    for words in ("anyOf", "oneOf"):
        if words in told:
            return " | ".join(map(_kind, told[words]))
    kind = told.get("type", "any")
    if kind == "array":
        return f"list of {_kind(told.get('items', {}))}"
    text = " | ".join(kind) if isinstance(kind, list) else str(kind)
    bounds = [f"{sign} {told[name]}" for name, sign in (("minimum", ">="), ("maximum", "<=")) if name in told]
    return f"{text} {', '.join(bounds)}".strip() + (f" ({told['format']})" if "format" in told else "")
