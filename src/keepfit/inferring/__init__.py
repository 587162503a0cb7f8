"""From raw files to a definition that a person can edit: what `keepfit infer` does.

Each step is a module: find the files, look at a sample of each, group them, decide what each group is, write it down.
"""

from __future__ import annotations

from keepfit.inferring.infer import Wish, infer

__all__ = ["Wish", "infer"]
