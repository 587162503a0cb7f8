"""Replay: the loop over the past, for the declared policy or for several side by side, and what each would have come to.

replay.py      from a question to its report
policies.py    the policies that may be named
past.py        what the lake held at each moment, once for all policies
running.py     turns of several policies at once
kept.py        what stays on disk: what was cut off goes on, what has ended is priced anew and not computed anew
"""

from keepfit.replaying.policies import DECLARED, SCHEDULES, policy_named
from keepfit.replaying.replay import replay

__all__ = ["DECLARED", "SCHEDULES", "policy_named", "replay"]
