"""Charts that answer: the same Vega-Lite as the stills, drawn in the reader's browser, with tooltips, and zoom where it helps.

The page is one file and makes no request. Vega is inlined once; its expressions are interpreted, so that the page's policy
allows the two scripts of the page by their hashes, and nothing else: no eval, no network. Charts are drawn in the literal
colours of `palette` as SVG, and the page's style makes light and dark of them, as it does for stills.
"""

from __future__ import annotations

import copy
import html
import json
from functools import cache
from importlib import resources
from typing import Any

from keepfit.stages.reports.canvas import Spec
from keepfit.stages.reports.palette import INK

HIT = 160
"""The size of the dot that shows where on a line the pointer is, in square pixels."""


@cache
def library() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script that needs nothing else, 0.9 MB; made without a network."""
    import vl_convert

    # its stub asks for a snippet; without one the library's own is taken, which costs less
    bundle: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]
    return bundle


def scripts() -> tuple[str, str]:
    """Return what a page of living charts runs: the library, and what draws each chart when it comes into view."""
    return library(), resources.files(__package__).joinpath("interactive.js").read_text("utf-8")


def living(spec: Spec, label: str, name: str) -> str:
    """Return a chart as markup that the page's script draws: an empty frame of its size, and the chart as data in it."""
    pad = spec["padding"]
    width, height = spec["width"] + pad["left"] + pad["right"], spec["height"] + pad["top"] + pad["bottom"]
    chart = json.dumps(answering(spec), separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<div class="live" id="{html.escape(name)}" role="img" aria-label="{html.escape(label)}"'
        f' style="aspect-ratio:{width}/{height}" data-width="{width}" data-height="{height}">'
        f'<script type="application/json">{chart}</script></div>'
    )


def answering(spec: Spec) -> Spec:
    """Return a chart with what it does for a pointer: the nearest point of a line tells, and scales follow a drag."""
    found = copy.deepcopy(spec)
    layers: list[dict[str, Any]] = found["layer"]
    lines = [one for one in layers if _kind(one) == "line" and "tooltip" in one.get("encoding", {})]
    if found.get("usermeta", {}).get("zooms"):
        for one in layers:
            # what lies on a scale ends with the plot; names in the margin must not, as they would by themselves
            one["mark"]["clip"] = bool(_scales(one))
        next(one for one in layers if len(_scales(one)) == 2)["params"] = [_zoom()]
    if lines:
        layers.append(_nearest(lines))
    return found


def _kind(layer: dict[str, Any]) -> str:
    kind: str = layer["mark"]["type"]
    return kind


def _scales(layer: dict[str, Any]) -> list[str]:
    """Return which of a mark's places are values on the chart's scales, and not pixels."""
    encoding = layer["encoding"]
    return [name for name in ("x", "y") if name in encoding and encoding[name].get("scale") is not None]


def _zoom() -> dict[str, Any]:
    # a wheel alone moves the page
    zoom = "wheel![event.ctrlKey || event.metaKey]"
    return {"name": "view", "select": {"type": "interval", "zoom": zoom}, "bind": "scales"}


def _nearest(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the layer that tells of the point nearest to the pointer, on whichever line."""
    near = {"type": "point", "on": "pointerover", "clear": "pointerout", "nearest": True}
    encoding = {name: one for name, one in lines[0]["encoding"].items() if name in ("x", "y", "tooltip")}
    seen = {"condition": {"param": "near", "empty": False, "value": 1}, "value": 0}
    return {
        "data": {"values": [row for one in lines for row in one["data"]["values"]]},
        "params": [{"name": "near", "select": near}],
        "mark": {"type": "point", "filled": True, "size": HIT, "color": INK, "clip": True},
        "encoding": {**encoding, "opacity": seen},
    }
