"""What policies cost, in pictures: each cost as the sum that it is, and what it saves beside its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from keepfit.evidence import PolicyOutcome
from keepfit.measure.wording import number, signed
from keepfit.stages.reports.canvas import Canvas, Spec, bounds_of, data, layered, literal, pixels, shorten, value_axis
from keepfit.stages.reports.curves import across
from keepfit.stages.reports.marks import margin_text
from keepfit.stages.reports.palette import INK, MUTED
from keepfit.stages.reports.policies_charts import Look

PALE = 0.4


@dataclass(frozen=True)
class _Rows:
    """Where rows of policies lie: name and figures beside what is drawn, or above it on phones."""

    canvas: Canvas
    step: int
    down: int

    @staticmethod
    def on(canvas: Canvas) -> _Rows:
        if canvas.name == "wide":
            return _Rows(replace(canvas, left=150), 34, 0)
        return _Rows(replace(canvas, left=0, right=14), 46, 22)

    def middle(self, place: int) -> float:
        return place * self.step + self.down + (self.step - self.down) / 2

    def texts(
        self, outcomes: Sequence[PolicyOutcome], figures: Sequence[str], styles: Mapping[str, Look]
    ) -> list[Spec]:
        """Return the layers of names and figures."""
        wide, canvas = self.canvas.name == "wide", self.canvas
        room = canvas.letters(canvas.left - 8 if wide else canvas.plot / 2)
        rows = [
            {
                "y": self.middle(place) if wide else place * self.step + 14,
                "label": shorten(one.name, room),
                "colour": styles[one.name].colour,
            }
            for place, one in enumerate(outcomes)
        ]
        told = [{**row, "label": text, "colour": INK} for row, text in zip(rows, figures, strict=True)]
        amounts = margin_text(told, canvas)
        if not wide:
            amounts["mark"] |= {"x": canvas.plot, "align": "right"}
        return [margin_text(rows, canvas, weight=600, x=-canvas.left), amounts]


def cost_chart(outcomes: Sequence[PolicyOutcome], retrain: float, styles: Mapping[str, Look], canvas: Canvas) -> Spec:
    """Return what each policy costs as a bar: trainings in full colour, then errors in a pale one."""
    rows = _Rows.on(canvas)
    bars: list[Spec] = []
    for index, one in enumerate(outcomes):
        trainings = retrain * len(one.trainings_at)
        y = {"y": rows.middle(index) - 8, "y2": rows.middle(index) + 8, "colour": styles[one.name].colour}
        bars += [{**y, "x": 0.0, "x2": trainings, "part": 1.0}, {**y, "x": trainings, "x2": one.cost, "part": PALE}]
    top = max([one.cost for one in outcomes] + [1e-9])
    x = {**value_axis((0, top), "x"), "axis": None}
    place = {"x": x, "x2": {"field": "x2"}, "y": pixels("y"), "y2": {"field": "y2"}, "color": literal("colour")}
    part = {"field": "part", "type": "quantitative", "scale": None}
    layers: list[Spec] = [
        {
            "data": data([bar for bar in bars if bar["x2"] > bar["x"]]),
            "mark": {"type": "rect"},
            "encoding": {**place, "opacity": part},
        },
        *rows.texts(outcomes, [split(one, retrain) for one in outcomes], styles),
    ]
    return layered(rows.canvas, rows.step * len(outcomes), layers, top=2, bottom=4)


def split(one: PolicyOutcome, retrain: float) -> str:
    """Return a cost as the sum that it is: trainings and errors."""
    trainings = retrain * len(one.trainings_at)
    return (
        f"{number(one.cost)} = {number(trainings)} + {number(one.cost - trainings)}" if trainings else number(one.cost)
    )


def saved_chart(outcomes: Sequence[PolicyOutcome], styles: Mapping[str, Look], canvas: Canvas) -> Spec:
    """Return what each policy costs less than the reference, with its 90% interval, beside a rule at 0."""
    rows = _Rows.on(canvas)
    dots: list[Spec] = [
        {
            "x": one.saved.value,
            "low": one.saved.low,
            "high": one.saved.high,
            "y": rows.middle(place),
            "colour": styles[one.name].colour,
        }
        for place, one in enumerate(outcomes)
    ]
    bounds = bounds_of([0.0, *(dot[end] for dot in dots for end in ("low", "high"))])
    height = rows.step * len(outcomes)
    x = across(bounds, "", rows.canvas)
    x["axis"] = {**x["axis"], "title": None, "labelFlush": False, "format": ",~f"}
    place = {"x": x, "y": pixels("y"), "color": literal("colour")}
    zero = {"type": "rule", "color": MUTED, "strokeDash": [4, 4]}
    reach = (rows.step - rows.down) / 2
    ruled: list[Spec] = [{"x": 0, "y": dot["y"] - reach, "y2": dot["y"] + reach} for dot in dots]
    layers: list[Spec] = [
        {"data": data(ruled), "mark": zero, "encoding": {"x": x, "y": pixels("y"), "y2": {"field": "y2"}}},
        {
            "data": data(dots),
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.45},
            "encoding": {**place, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
        },
        {"data": data(dots), "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1}, "encoding": place},
        *rows.texts(outcomes, [saved_text(one) for one in outcomes], styles),
    ]
    return layered(rows.canvas, height, layers, top=4)


def saved_text(one: PolicyOutcome) -> str:
    """Return what a policy costs less than the reference, with its interval."""
    return f"{signed(one.saved.value)} [{number(one.saved.low)}, {number(one.saved.high)}]"
