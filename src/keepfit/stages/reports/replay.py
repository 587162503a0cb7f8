"""The replay report: how the loop would have done over history, on one page for an expert and for a manager."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

from keepfit.evidence import Turn
from keepfit.spec.metric import Metric
from keepfit.stages.reports import charts, page, sentences, summary, tables
from keepfit.stages.reports.canvas import WIDE, Canvas, Span, Spec, pictures_of
from keepfit.stages.reports.page import Html, element
from keepfit.stages.reports.palette import HEAT, HEAT_BOUNDS, WORDS


def write_replay(turns: Sequence[Turn], path: Path, *, title: str, metric: str, threshold: float | None) -> Path:
    """Write a replay as one self-contained HTML file, and return its path.

    The file has no script and makes no request; it reads on a desk, a phone and paper, in light and dark.

    Parameters
    ----------
    turns : sequence of Turn
        The turns of one model, in any order; may be empty.
    path : Path
        The file to write; its folder is made if it is missing, an old file is replaced.
    title : str
        The headline.
    metric : str
        The metric the model is judged by; a name in `keepfit.spec.metric.METRICS`.
    threshold : float or None
        How good the metric must stay, drawn as a line; None if nothing was declared.

    Raises
    ------
    DefinitionError
        If there is no metric of that name.
    """
    judged = summary.metric_named(metric)
    ordered = sorted(turns, key=lambda turn: turn.as_of)
    parts = _parts(ordered, title, judged, threshold) if ordered else [_empty(title)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page.page(title, *parts, _footer()), encoding="utf-8")
    return path


def _parts(turns: Sequence[Turn], title: str, metric: Metric, threshold: float | None) -> list[Html]:
    windows = summary.matured(turns, metric.name)
    span = Span.over([turn.as_of for turn in turns], [window.at for window in windows])
    return [
        _headline(turns, windows, title, metric, threshold),
        _realised(turns, windows, metric, threshold, span),
        _drift(turns, span),
        _trainings(turns, metric, threshold, span),
        _rows(turns, span),
        _stages(turns),
        page.section("Every turn", sentences.turns_say(turns), tables.turns_table(turns, metric, threshold)),
        _last_evaluation(turns),
    ]


def _empty(title: str) -> Html:
    note = element("p", "No turns yet. A replay runs the loop over past time and leaves its turns here.", class_="lead")
    return element("header", element("p", "Replay", class_="kind"), element("h1", title), note)


def _headline(
    turns: Sequence[Turn], windows: Sequence[summary.Window], title: str, metric: Metric, threshold: float | None
) -> Html:
    models = ", ".join(dict.fromkeys(turn.model for turn in turns))
    told = element("p", sentences.lead(turns, windows, metric), class_="lead")
    facts = f"Replay of {models}, {summary.period(turns)}"
    figures = [_hero(windows, metric, threshold), _counts(turns)]
    return element("header", element("p", facts, class_="kind"), element("h1", title), told, *figures)


def _hero(windows: Sequence[summary.Window], metric: Metric, threshold: float | None) -> Html:
    value, baseline, _ = summary.overall(windows, metric.name)
    if not math.isfinite(value):
        return Html()
    which = "higher" if metric.greater_is_better else "lower"
    gain = metric.gain(value, baseline)
    cells = [
        page.big(summary.number(value), f"{metric.name} realised, {which} is better", "blue"),
        page.big(summary.number(baseline), "trivial baseline, same rows"),
        page.big(summary.signed(gain), "gain over the baseline"),
    ]
    cells += [page.big(summary.number(threshold), "threshold declared")] if threshold is not None else []
    return element("dl", *cells, class_="hero")


def _counts(turns: Sequence[Turn]) -> Html:
    found = summary.counts(turns)
    cells = [page.big(f"{count:,}", summary.counted(count, name)) for name, count in found.items()]
    return element("dl", *cells, class_="counts")


def _realised(
    turns: Sequence[Turn], windows: Sequence[summary.Window], metric: Metric, threshold: float | None, span: Span
) -> Html:
    if not any(math.isfinite(window.value) for window in windows):
        return page.absent("Performance", f"No labels have matured yet, so there is no realised {metric.name} to show.")
    found = summary.changes(turns)
    which = "higher" if metric.greater_is_better else "lower"
    read = f"{metric.name} by date of observation, once labels had matured; {which} is better."
    if threshold is not None:
        read += " A hollow point missed the threshold."
    if found:
        read += " A vertical rule marks a turn that changed, or tried to change, the champion."
    alt = sentences.realised_alt(windows, metric, threshold)
    pictures = pictures_of(
        "realised",
        alt,
        lambda canvas: charts.realised_chart(windows, found, metric, threshold, canvas, span),
    )
    seen = [(page.mark(name), WORDS[name]) for name in WORDS if any(one.decision == name for one in found)]
    says = sentences.realised_says(windows, metric, threshold)
    return page.figure("Performance", says, read, pictures, page.key(*seen) if seen else None)


def _drift(turns: Sequence[Turn], span: Span) -> Html:
    columns = summary.columns(turns)
    if not columns:
        return page.absent("Drift", "No drift was measured; there must be a champion to measure it against.")
    pictures = pictures_of(
        "drift", sentences.drift_alt(columns), lambda canvas: charts.drift_chart(columns, canvas, span)
    )
    every = len({drift.column for turn in turns for drift in turn.drift})
    read = "Population stability index of each column against the newest rows the champion was judged on, turn by turn."
    if every > len(columns):
        read += f" The {len(columns)} that moved most, of {every}."
    bounds = [f"{bound:g}" for bound in HEAT_BOUNDS]
    ranges = [f"PSI under {bounds[0]}", *(f"{low} to {high}" for low, high in itertools.pairwise(bounds))]
    ranges += [f"{bounds[-1]} and over"]
    steps = [(page.swatch(colour), words) for colour, words in zip(HEAT, ranges, strict=True)]
    dot = element("svg", element("circle", r="0.62", class_="dot"), class_="mark", viewBox="-1.2 -1.2 2.4 2.4")
    numbers = element("details", element("summary", "The numbers"), tables.columns_table(columns))
    drawn = page.figure("Drift", sentences.drift_says(columns), read, pictures, page.key(*steps, (dot, "significant")))
    return element("div", drawn, numbers)


def _trainings(turns: Sequence[Turn], metric: Metric, threshold: float | None, span: Span) -> Html:
    found = summary.trainings(turns)
    if not any(math.isfinite(one.estimate.value) for one in found):
        return page.absent("Training", "No version was trained and measured in these turns.")
    read = f"{metric.name} on rows kept from training, with its 90% interval, at the turn that trained each version. "
    near = charts.baselines_near(found, threshold)
    read += "A grey dash is the trivial baseline." if near else "The trivial baseline lies outside this picture."
    pictures = pictures_of(
        "training",
        sentences.training_alt(found, metric),
        lambda canvas: charts.training_chart(found, metric, threshold, canvas, span),
    )
    seen = [(page.mark(name), WORDS.get(name, name)) for name in dict.fromkeys(one.decision for one in found)]
    return page.figure("Training", sentences.training_says(found, metric), read, pictures, page.key(*seen))


def _rows(turns: Sequence[Turn], span: Span) -> Html:
    series = summary.row_counts(turns)
    if not series:
        return Html()
    last = list(series)[-1]
    strips = [
        _strip(place, kind, counts, span, last=kind == last) for place, (kind, counts) in enumerate(series.items())
    ]
    pictures = [picture for strip in strips for picture in strip]
    return page.figure(
        "Rows", sentences.rows_says(series), "Rows in each turn; each strip has its own scale.", pictures
    )


def _strip(
    place: int, kind: str, counts: Sequence[tuple[int, int]], span: Span, *, last: bool
) -> list[tuple[str, str]]:
    words = summary.ROW_WORDS.get(kind, kind)

    def draw(canvas: Canvas) -> Spec:
        return charts.bars_chart(counts, words if canvas is WIDE else kind, canvas, span, last=last)

    return pictures_of(f"rows-{place}", sentences.bars_alt(words, counts), draw)


def _stages(turns: Sequence[Turn]) -> Html:
    seconds = summary.stage_seconds(turns)
    if not seconds:
        return Html()
    pictures = pictures_of("stages", sentences.stages_alt(seconds), lambda canvas: charts.stages_chart(seconds, canvas))
    says = sentences.stages_says(seconds, turns)
    return page.figure("Time", says, "Wall time of each stage, summed over the turns.", pictures)


def _last_evaluation(turns: Sequence[Turn]) -> Html:
    turn = next((turn for turn in reversed(turns) if turn.evaluation), None)
    if turn is None or turn.evaluation is None:
        return Html()
    evaluation = turn.evaluation
    parts = [element("p", sentences.evaluation_note(evaluation), class_="read")]
    parts += [element("h3", "Metrics on the test rows"), tables.metrics_table(evaluation)]
    if turn.verdicts:
        parts += [element("h3", "Gates"), tables.gates_table(turn.verdicts)]
    if any(evaluation.groups.values()):
        parts += [element("h3", "Groups"), tables.groups_table(evaluation)]
    return page.section("Last evaluation", sentences.evaluation_says(turn, evaluation), *parts)


def _footer() -> Html:
    words = [element("div", element("dt", word), element("dd", meaning)) for word, meaning in sentences.MEANINGS]
    return element("footer", element("h2", "What the words mean"), element("dl", *words))
