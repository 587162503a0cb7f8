"""The colours and marks of every report, chosen to be told apart without colour vision (Okabe and Ito 2008).

A chart is drawn in these literal colours; `style.css` maps each of them to a variable, which is how one picture serves
light and dark. A colour that is added here must be mapped there (a test holds it).
"""

from keepfit.evidence import PROMOTE, REJECT, ROLL_BACK

INK, MUTED, GRID, PAPER = "#1b1f24", "#66707b", "#e4e7eb", "#ffffff"
BLUE, GREEN, VERMILLION, PURPLE = "#0072b2", "#009e73", "#d55e00", "#b0568a"
OCHRE, INDIGO = "#9a7b00", "#4b2fa8"
HEAT = ("#f1efec", "#fbe0c8", "#f5ba88", "#e58440", "#bd4e00")
HEAT_BOUNDS = (0.05, 0.1, 0.2, 0.5)

TRIANGLE = "M0,-1L0.95,0.75L-0.95,0.75Z"
CROSS = "M-0.75,-1L0,-0.25L0.75,-1L1,-0.75L0.25,0L1,0.75L0.75,1L0,0.25L-0.75,1L-1,0.75L-0.25,0L-1,-0.75Z"
BACK = "M-1,0L0.75,-0.95L0.75,0.95Z"
DOT = "M-0.7,0A0.7,0.7,0,1,1,0.7,0A0.7,0.7,0,1,1,-0.7,0Z"

COLOURS = {PROMOTE: GREEN, REJECT: VERMILLION, ROLL_BACK: PURPLE}
SHAPES = {PROMOTE: TRIANGLE, REJECT: CROSS, ROLL_BACK: BACK}
WORDS = {PROMOTE: "promoted", REJECT: "rejected", ROLL_BACK: "rolled back"}


def colour_of(decision: str) -> str:
    """Return the colour of a decision; muted for one that moved nothing."""
    return COLOURS.get(decision, MUTED)


def shape_of(decision: str) -> str:
    """Return the mark of a decision as an SVG path within [-1, 1]; a dot for one that moved nothing."""
    return SHAPES.get(decision, DOT)


def heat_step(psi: float) -> int:
    """Return which of the five colours of `HEAT` a PSI has."""
    return sum(psi >= bound for bound in HEAT_BOUNDS)
