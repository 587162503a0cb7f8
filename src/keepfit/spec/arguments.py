"""What a call of a definition's words may be given, for an argument that none of them takes."""

from __future__ import annotations

import inspect
import re
import sys
from operator import attrgetter
from typing import Any

from keepfit.errors import did_you_mean

UNKNOWN = re.compile(r"(?P<call>[\w.]+)\(\) got an unexpected keyword argument '(?P<name>\w+)'")


def misspelt(error: BaseException) -> tuple[str, str] | None:
    """Return what is wrong and the fix, of the error of a call that was given an argument which it does not take.

    None if the error is another one, or the call is none of keepfit's.
    """
    found = UNKNOWN.match(str(error)) if isinstance(error, TypeError) else None
    called = _find(found["call"]) if found else None
    if found is None or called is None:
        return None
    word = found["call"].removesuffix(".__init__")
    known = [name for name in inspect.signature(called).parameters if name != "self"]
    return f"{word}({found['name']}=...): there is no such argument", did_you_mean(found["name"], known, of=word)


def _find(call: str) -> Any:
    """Return the function or method of such a qualified name among the words of definitions; None if there is none."""
    for name, module in sorted(sys.modules.items()):
        if name.startswith(f"{__package__}."):
            try:
                found = attrgetter(call)(module)
            except AttributeError:
                continue
            if found.__module__.startswith(__package__):
                return found
    return None
