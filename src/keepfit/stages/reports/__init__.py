"""Pages that a person reads: what the loop did, and on which evidence.

A report is a function of values that other stages left (`keepfit.evidence`); it measures and decides nothing. Each page
is one HTML file without script or outside reference, so that it can be mailed, archived and opened years later.

To add a report: take the numbers out of the evidence in a file like `summary.py`, draw with `charts.py`, lay out with
`page.py`, and give it a `write_...` function like the one in `replay.py`.
"""

from keepfit.stages.reports.policies import write_policies
from keepfit.stages.reports.replay import write_replay

__all__ = ["write_policies", "write_replay"]
