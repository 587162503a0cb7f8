"""When to retrain, and whether to promote: evidence and policy in, a decision with its reasons out.

Pure and total: no clock, no I/O, an answer for any evidence. That is what lets `replay` try a policy on the past.
"""

from keepfit.stages.retraining.conditions import FINDERS, Finding, find
from keepfit.stages.retraining.decide import conclude, decide

__all__ = ["FINDERS", "Finding", "conclude", "decide", "find"]
