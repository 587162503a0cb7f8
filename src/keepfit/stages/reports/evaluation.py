"""The evaluation report of a version: how good it is, beside what, why, where it is weak, and whether it is fair.

It is drawn from an `Evaluation` and from the plain data of the version's `report.json`, so that it can be drawn again for
any version, years later.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from keepfit.evidence import Evaluation
from keepfit.measure.wording import calibration_told
from keepfit.spec.metric import METRICS
from keepfit.stages.reports import curves, explanation, page, training
from keepfit.stages.reports import evaluation_tables as tables
from keepfit.stages.reports.canvas import Draw
from keepfit.stages.reports.evaluation_figures import curve_figures, errors
from keepfit.stages.reports.features import features_to_ask_about
from keepfit.stages.reports.figures import Figures
from keepfit.stages.reports.interactive import living, scripts
from keepfit.stages.reports.page import Html, element
from keepfit.stages.reports.palette import GREEN
from keepfit.stages.reports.sentences import interval
from keepfit.stages.reports.summary import moment_text, number, plural, signed
from keepfit.stages.reports.tuning import tuning

NARROW_GROUPS = 5
"""Groups whose names have room in a chart that is one of three side by side."""
MEANINGS = (
    ("90% interval", "From drawing whole entities anew 300 times: rows of one entity resemble each other."),
    ("Constant", "What one would say knowing only the training labels: their mean, their rates, or their quantiles."),
    ("Contribution", "What a feature adds to a prediction (Shapley values of the trees, exact); they add up to it."),
    ("Shuffled", "How much worse the metric gets if a feature's values are dealt out among the rows at random."),
    (
        "Coverage",
        "The share of rows whose value lies within its interval, or below its quantile; best at the declared share.",
    ),
    ("Corrected", "Holm's method: the more slices are tried, the surer one must be to count."),
    ("Evidence", "The id of a number in report.json, which lies beside this page."),
)


def evaluation_page(title: str, evaluation: Evaluation, found: Mapping[str, Any], *, interactive: bool = False) -> str:
    """Return the report as one self-contained HTML document.

    Parameters
    ----------
    title : str
        The headline: the model, and its version if it has one yet.
    found : mapping
        What `keepfit.stages.evaluation.detail` measured.
    interactive : bool
        Whether charts answer to a pointer: the page then has a script (0.9 MB), and still makes no request.
    """
    show, grown = Figures(living) if interactive else Figures(), found.get("grown", {})
    parts = [
        _headline(title, evaluation),
        page.section(
            "Metrics",
            _metrics_say(evaluation),
            tables.main_table(evaluation, found.get("share")),
            _rivals_note(evaluation),
            _calibrated(evaluation),
        ),
        *training.folds(show, evaluation),
        *curve_figures(show, evaluation, found),
        explanation.importance(show, evaluation, found),
        *explanation.summary(show, evaluation, found),
        features_to_ask_about(found),
        *explanation.dependence(show, evaluation, found),
        *errors(show, found),
        _slices(found),
        _worst(found),
        *_fairness(show, found),
        *training.history(show, grown.get("history")),
        *training.learning_curve(show, grown.get("learning_curve", ()), evaluation.metric),
        *tuning(show, grown.get("search")),
        _footer(),
    ]
    return page.page(title, *parts, scripts=scripts() if interactive else ())


def _headline(title: str, evaluation: Evaluation) -> Html:
    one, name = evaluation.estimate, evaluation.metric
    base = evaluation.baseline.get(name, float("nan"))
    cells = [
        page.big(number(one.value), f"{name}, {interval(one.low, one.high)}", "blue"),
        page.big(number(base), "constant, same rows"),
        page.big(signed(METRICS[name].gain(one.value, base)), "gain over the constant"),
    ]
    first, last = (element("time", moment_text(at)) for at in (evaluation.test_from_at, evaluation.test_to_at))
    rows = ", ".join(f"{count:,} {part}" for part, count in evaluation.rows.items())
    seen = f"which no training has seen. Rows: {rows}."
    return element(
        "header",
        element("p", "Evaluation", class_="kind"),
        element("h1", title),
        element("p", "Measured on the newest rows, ", first, " to ", last, ", ", seen, class_="lead"),
        element("dl", *cells, class_="hero"),
    )


def _metrics_say(evaluation: Evaluation) -> str:
    rivals = {"the constant": evaluation.baseline, **evaluation.rivals}
    values = {name: one.get(evaluation.metric, float("nan")) for name, one in rivals.items()}
    metric = METRICS[evaluation.metric]
    known = {name: value for name, value in values.items() if value == value}
    if not known:
        return f"{metric.name} {number(evaluation.estimate.value)}"
    pick = max if metric.greater_is_better else min
    best = pick(known, key=lambda name: known[name])
    ours = evaluation.metrics.get(metric.name, float("nan"))
    word = "better" if metric.better(ours, known[best]) else "no better"
    return f"{metric.name} {number(ours)}, {word} than {best} with {number(known[best])}"


def _rivals_note(evaluation: Evaluation) -> Html:
    if not evaluation.rivals:
        return Html()
    rules = "; ".join(evaluation.rivals)
    return element(
        "p",
        f"Simple rules, each from one feature: {rules}. Marked where a rule or the constant does better.",
        class_="read",
    )


def _calibrated(evaluation: Evaluation) -> Html:
    said = calibration_told(evaluation.uncalibrated, evaluation.metrics)
    return element("p", f"{said[0].upper()}{said[1:]}.", class_="read") if said else Html()


def _slices(found: Mapping[str, Any]) -> Html:
    search = found["slices"]
    tried = f"{search['tried']:,} conditions on one or two features, over {search['rows']:,} rows"
    if not search["found"]:
        return page.absent("Weak slices", f"None is significantly worse than the rest, of {tried} (Holm, 5%).")
    says = f"{plural(len(search['found']), 'part')} of the rows where it does worse than elsewhere"
    read = element("p", f"The surest of {tried}; p-values are corrected by Holm's method.", class_="read")
    return page.section("Weak slices", says, read, tables.slices_table(search))


def _worst(found: Mapping[str, Any]) -> Html:
    rows = found["worst"]
    says = f"The {len(rows)} predictions with the greatest {found['loss']}"
    read = element(
        "p", "In brackets what the feature added. All features are in worst.csv, beside this page.", class_="read"
    )
    return page.section("Worst predictions", says, read, tables.worst_table(rows, found["loss"]))


def _fairness(show: Figures, found: Mapping[str, Any]) -> list[Html]:
    drawn: list[Html] = []
    for column, parts in found["fairness"].items():
        gap = parts["gaps"].get("tpr")
        says = f"True positive rates of {column} differ by {number(gap['value'])}" if gap else f"Groups of {column}"
        charts = [_rates(f"fair-{len(drawn)}", rate, parts) for rate in ("selection_rate", "tpr", "fpr")]
        read = "With 90% intervals. Dashed: all rows."
        if len(parts["groups"]) <= NARROW_GROUPS:
            pictures = [
                show.cards(f"Rates by {column}", f"The rates of each group of {column}", read, charts, words=True)
            ]
        else:
            pictures = [show(name, f"Rates by {column}", title, read, draw) for name, title, draw in charts]
        body = [tables.fairness_table(parts["groups"]), tables.gaps_table(column, parts["gaps"]), *pictures]
        drawn.append(page.section("Fairness", says, *body))
    return drawn


def _rates(name: str, rate: str, parts: Mapping[str, Any]) -> tuple[str, str, Draw]:
    """Return a chart of one rate of each group, with its name and its title."""
    points = [
        {"label": group, "y": one[rate]["value"], "rows": one["rows"]}
        | {end: one[rate][end] for end in ("low", "high")}
        for group, one in parts["groups"].items()
    ]
    mean = parts["all"][rate] or 0.0
    draw: Draw = partial(curves.parts_chart, points, mean, GREEN, what="Group")
    return f"{name}-{rate}", tables.RATE_WORDS[rate], draw


def _footer() -> Html:
    words = [element("div", element("dt", word), element("dd", meaning)) for word, meaning in MEANINGS]
    return element("footer", element("h2", "What the words mean"), element("dl", *words))
