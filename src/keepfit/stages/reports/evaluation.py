"""The evaluation report of a version: how good it is, beside what, why, where it is weak, and whether it is fair.

It is drawn from an `Evaluation` and from the plain data of the version's `report.json`, so that it can be drawn again for
any version, years later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keepfit import clock
from keepfit.evidence import Evaluation
from keepfit.spec.metric import METRICS
from keepfit.spec.model import CLASSIFICATION, MULTICLASS, REGRESSION
from keepfit.stages.reports import curves, page
from keepfit.stages.reports import evaluation_tables as tables
from keepfit.stages.reports.canvas import pictures_of
from keepfit.stages.reports.evaluation_figures import curve_figures, errors, figure
from keepfit.stages.reports.features import features_to_ask_about
from keepfit.stages.reports.page import Html, element
from keepfit.stages.reports.palette import GREEN
from keepfit.stages.reports.sentences import interval
from keepfit.stages.reports.summary import number, plural, signed

MOST_BARS = 15
# of contributions
UNITS = {
    CLASSIFICATION: "log-odds",
    MULTICLASS: "the score of the label called, before it is made a probability",
    REGRESSION: "the target's unit",
}
MEANINGS = (
    ("90% interval", "From drawing whole entities anew 300 times: rows of one entity resemble each other."),
    ("Constant", "What one would say knowing only the training labels: their mean, their rates, or their quantiles."),
    ("Contribution", "What a feature adds to a prediction (Shapley values of the trees, exact); they add up to it."),
    ("Shuffled", "How much worse the metric gets if a feature's values are dealt out among the rows at random."),
    ("Coverage", "The share of rows whose value lies within its interval; the definition says what share it is to be."),
    ("Corrected", "Holm's method: the more slices are tried, the surer one must be to count."),
    ("Evidence", "The id of a number in report.json, which lies beside this page."),
)


def evaluation_page(title: str, evaluation: Evaluation, found: Mapping[str, Any]) -> str:
    """Return the report as one self-contained HTML document.

    Parameters
    ----------
    title : str
        The headline: the model, and its version if it has one yet.
    found : mapping
        What `keepfit.stages.evaluation.detail` measured.
    """
    parts = [
        _headline(title, evaluation),
        page.section("Metrics", _metrics_say(evaluation), tables.main_table(evaluation), _rivals_note(evaluation)),
        *curve_figures(evaluation, found),
        _importance(evaluation, found),
        features_to_ask_about(found),
        *_dependence(evaluation, found),
        *errors(found),
        _slices(found),
        _worst(found),
        *_fairness(found),
        _footer(),
    ]
    return page.page(title, *parts)


def _headline(title: str, evaluation: Evaluation) -> Html:
    one, name = evaluation.estimate, evaluation.metric
    base = evaluation.baseline.get(name, float("nan"))
    cells = [
        page.big(number(one.value), f"{name}, {interval(one.low, one.high)}", "blue"),
        page.big(number(base), "constant, same rows"),
        page.big(signed(METRICS[name].gain(one.value, base)), "gain over the constant"),
    ]
    when = f"{clock.show(evaluation.test_from_at)} to {clock.show(evaluation.test_to_at)}"
    rows = ", ".join(f"{count:,} {part}" for part, count in evaluation.rows.items())
    return element(
        "header",
        element("p", "Evaluation", class_="kind"),
        element("h1", title),
        element("p", f"Measured on the newest rows, {when}, which no training has seen. Rows: {rows}.", class_="lead"),
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


def _importance(evaluation: Evaluation, found: Mapping[str, Any]) -> Html:
    rows: Sequence[Mapping[str, Any]] = found["importance"]
    told = bool(rows) and rows[0]["contribution"] is not None
    by = "contribution" if told else "permutation"
    shown = [(one["feature"], one[by] or 0.0) for one in rows[:MOST_BARS]]
    unit = UNITS[evaluation.task]
    read = f"Mean |contribution| in {unit}" if told else f"{evaluation.metric} lost if the feature is shuffled"
    read += f", over {plural(found['sampled'][by + ('s' if told else '')], 'test row')}."
    says = f"{shown[0][0]} matters most, then {shown[1][0]}" if len(shown) > 1 else shown[0][0]
    drawn = figure("importance", "Importance", says, read, lambda canvas: curves.importance_chart(shown, canvas))
    table = tables.importance_table(rows, evaluation.metric)
    return element("div", drawn, element("details", element("summary", "The numbers"), table))


def _dependence(evaluation: Evaluation, found: Mapping[str, Any]) -> list[Html]:
    unit = UNITS[evaluation.task]
    drawn: list[Html] = []
    for place, (name, points) in enumerate(found["dependence"].items()):
        if len(points) > 1:
            pictures = pictures_of(
                f"dependence-{place}",
                f"What {name} added over its value.",
                lambda canvas, points=points, name=name: curves.dependence_chart(points, name, canvas),  # type: ignore[misc]
            )
            read = f"What {name} added to {plural(len(points), 'prediction')} ({unit}), over its value."
            drawn.append(page.figure("Dependence" if not drawn else "", name, read, pictures))
    return drawn


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


def _fairness(found: Mapping[str, Any]) -> list[Html]:
    drawn: list[Html] = []
    for column, parts in found["fairness"].items():
        gap = parts["gaps"].get("tpr")
        says = f"True positive rates of {column} differ by {number(gap['value'])}" if gap else f"Groups of {column}"
        pictures = []
        for rate in ("selection_rate", "tpr", "fpr"):
            points = [
                {"label": group, "y": one[rate]["value"], "low": one[rate]["low"], "high": one[rate]["high"]}
                for group, one in parts["groups"].items()
            ]
            mean = parts["all"][rate] or 0.0
            pictures.append(
                figure(
                    f"fair-{len(drawn)}-{rate}", f"{tables.RATE_WORDS[rate]} by {column}", _widest(points), "With 90% intervals.",
                    lambda canvas, points=points, mean=mean: curves.parts_chart(points, mean, GREEN, canvas),  # type: ignore[misc]
                )
            )  # fmt: skip
        body = [tables.fairness_table(parts["groups"]), tables.gaps_table(column, parts["gaps"]), *pictures]
        drawn.append(page.section("Fairness", says, *body))
    return drawn


def _widest(points: Sequence[Mapping[str, Any]]) -> str:
    known = sorted((one for one in points if one["y"] is not None), key=lambda one: -one["y"])
    if len(known) < 2:
        return "One group only"
    ends = [f"{one['label']} {number(one['y'])}" for one in (known[0], known[-1])]
    return f"Highest: {ends[0]}, lowest: {ends[1]}"


def _footer() -> Html:
    words = [element("div", element("dt", word), element("dd", meaning)) for word, meaning in MEANINGS]
    return element("footer", element("h2", "What the words mean"), element("dl", *words))
