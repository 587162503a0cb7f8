"""How functions of the kernel become machine code, and how that is kept on disk. The one home of numba.

What reads kept code needs little of numba: neither what it knows of types and array functions nor its runtime, which it
compiles at every start. So these are loaded by who has to compile, and a server, which reads, is smaller and starts earlier.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

import numba
from numba.core.caching import FunctionCache

# Helpers are inlined into the loop that calls them. Nothing compiled here allocates, so counting references to the
# views it passes around, atomically, is switched off: it took five sixths of the time. Dividing as IEEE 754 says
# saves the paths of exceptions.
_OPTIONS: Final[dict[str, Any]] = {"nogil": True, "_nrt": False, "error_model": "numpy"}

# Unpacking arguments that come from Python takes as long to compile as the function itself.
_NO_WRAPPERS: Final[dict[str, Any]] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}

# numba's cache looks at a function's own file only; with the digest of all compiled files in the name, no edit of
# another one and no upgrade is ever answered by old code
_COMPILED: Final = (
    "program", "arguments", "compiling", "exact", "moments", "decay", "queues", "ranks", "state", "emit", "sweep",
)  # fmt: skip
DIGEST: Final = hashlib.sha256(
    b"".join(Path(__file__).with_name(f"{name}.py").read_bytes() for name in _COMPILED)
).hexdigest()

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile for the machine without the GIL, inlined into what calls it; Python itself cannot call it."""
    return _compile(function, forceinline=True, **_NO_WRAPPERS)


def called(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile as `compiled`, but to a call: for what is large and not in the innermost loop."""
    return _compile(function, **_NO_WRAPPERS)


def entry(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile as `compiled`, for Python to call too."""
    return _compile(function, forceinline=True)


def _compile(function: Callable[_P, _R], **options: Any) -> Callable[_P, _R]:
    """Keep the code on disk if any cache directory can be written.

    There is none where neither the package nor the user's cache is writable (a read-only image without a home); there,
    each process compiles for itself.
    """
    function.__qualname__ += f"_{DIGEST[:12]}"
    made = numba.njit(**_OPTIONS, **options)(function)
    try:
        made._cache = _Kept(function)
    except RuntimeError:
        _load_array_functions()
    return cast(Callable[_P, _R], made)


class _Kept(FunctionCache):  # type: ignore[misc]
    """numba's cache, whose reading does not prepare for compiling."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code that is kept for a signature, or None: then numba compiles, and loads what that takes."""
        with self._guard_against_spurious_io_errors():
            found = self._load_overload(sig, target_context)
            if found is not None:
                return found
        _load_array_functions()
        return None


def _load_array_functions() -> None:
    """Load numba's array functions without their look for a BLAS, which imports scipy for 0.4 s.

    The kernel multiplies no matrices. What others compile in this process finds scipy, which is installed, when it runs.
    """
    from numba.np import linalg

    look, linalg.ensure_blas = linalg.ensure_blas, lambda: None
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        linalg.ensure_blas = look
