"""Numbers read from a text; the only place that knows VADER. Add a function here and a node in `spec/rows.py`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any


@cache
def _analyzer() -> Any:
    # loads a lexicon of 7,500 words (0.1 s), so only once and only where a Sentiment is declared
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


@lru_cache(maxsize=100_000)
def sentiment(text: str) -> float:
    """Return VADER's compound score in [-1, 1]; short texts repeat, so the newest are remembered."""
    return float(_analyzer().polarity_scores(text)["compound"])


def length(text: str) -> float:
    """Return the number of characters."""
    return float(len(text))


FUNCTIONS: dict[str, Callable[[str], float]] = {"sentiment": sentiment, "length": length}
