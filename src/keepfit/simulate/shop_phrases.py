"""What customers write: two or three sentences put together from templates, in a tone that follows satisfaction.

Each sentence draws its own mood, so a contented customer grumbles now and then. The words of a mood are chosen so that
a lexicon such as VADER hears them as meant without smileys. To add a phrase, put it under its mood.
"""

from __future__ import annotations

import numpy as np

MOOD_NOISE = 0.7  # sigma of a sentence's tone around the writer's satisfaction
GOOD_ABOVE, BAD_BELOW = 0.1, -0.5  # tone that turns a sentence good or bad
SENTENCES = (2, 3)

THINGS = (
    "delivery",
    "checkout",
    "bread",
    "cheese counter",
    "fruit",
    "parking",
    "app",
    "staff at the till",
    "packaging",
    "coffee",
)

GOOD = (
    "I love the {thing}.",
    "The {thing} was excellent, as always.",
    "Really happy with the {thing} this time.",
    "Great {thing}, thank you.",
    "The {thing} made my week easier and I am very pleased.",
    "Wonderful service, and the {thing} is the best in town.",
    "Friendly people and a perfect {thing}.",
    "My family enjoys coming here, the {thing} is lovely.",
)
PLAIN = (
    "I came in after work.",
    "We mostly come for the {thing}.",
    "Bought what was on my list.",
    "About the {thing}: same as last month.",
    "Second visit this week.",
    "I used the {thing} on my way home.",
)
BAD = (
    "The {thing} was terrible.",
    "Very disappointed with the {thing}.",
    "I hate what they did to the {thing}.",
    "Awful experience with the {thing} again.",
    "The {thing} is worse every time, and nobody apologises.",
    "Rude answer when I complained about the {thing}.",
    "A horrible mess, and the {thing} was a waste of money.",
    "The {thing} failed me and I am angry.",
)


def remark(satisfaction: float, draw: np.random.Generator) -> str:
    """Return one remark of a customer with this satisfaction (0 is average, +-1 is clearly content or not).

    Examples
    --------
    >>> remark(3.0, np.random.default_rng(0)) == remark(3.0, np.random.default_rng(0))
    True
    """
    count = int(draw.integers(SENTENCES[0], SENTENCES[1] + 1))
    tones = satisfaction + MOOD_NOISE * draw.standard_normal(count)
    return " ".join(_sentence(float(tone), draw) for tone in tones)


def _sentence(tone: float, draw: np.random.Generator) -> str:
    mood = GOOD if tone > GOOD_ABOVE else BAD if tone < BAD_BELOW else PLAIN
    template, thing = draw.integers(len(mood)), draw.integers(len(THINGS))
    return mood[template].format(thing=THINGS[thing])
