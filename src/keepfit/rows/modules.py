"""The team's own modules: definitions.py and what lies beside it, run and found again by name."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

DEFINITIONS = "definitions"


def run(name: str, path: Path) -> ModuleType:
    """Run a file as the module `name`, and whatever it imports from beside it anew.

    Raises
    ------
    ImportError
        If the file is no Python file. What the file itself raises goes through, and the module before it stays.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    before = _forget(path.parent)
    before |= {name: sys.modules[name]} if name in sys.modules else {}
    sys.modules[name] = module
    try:
        with _beside(path.parent):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        sys.modules.update(before)
        raise
    return module


def find(name: str) -> ModuleType:
    """Return a module by name: as it was run, or from beside the definitions, or from the folder that one works in.

    Raises
    ------
    ImportError
        If there is none.
    """
    if name in sys.modules:
        return sys.modules[name]
    with _beside(_definitions() or Path.cwd()):
        return importlib.import_module(name)


def again(module: ModuleType) -> ModuleType:
    """Return a module of the team's as its files are now, definitions.py and all beside it; another one as it is."""
    folder = _definitions() or Path.cwd()
    if not _lies_in(module.__name__, {folder.resolve()}):
        return module
    for name in (DEFINITIONS, module.__name__):
        file = getattr(sys.modules.get(name), "__file__", None)
        if file:
            run(name, Path(file))
            break
    return find(module.__name__)


def _definitions() -> Path | None:
    file = getattr(sys.modules.get(DEFINITIONS), "__file__", None)
    return Path(file).parent if file else None


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    unwritten, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.dont_write_bytecode = unwritten
        sys.path.remove(str(folder))


def _forget(folder: Path) -> dict[str, ModuleType]:
    """Take out and return the modules that lie in this folder, or beside the definitions run before."""
    before = _definitions()
    folders = {folder.resolve(), *([before.resolve()] if before else [])}
    forgotten = {name: module for name, module in sys.modules.items() if _lies_in(name, folders)}
    for name in forgotten:
        del sys.modules[name]
    return forgotten


def _lies_in(name: str, folders: set[Path]) -> bool:
    # by the top-level module alone: an environment may lie in the folder too
    file = getattr(sys.modules.get(name.partition(".")[0]), "__file__", None)
    if not file or name == "__main__":
        return False
    path = Path(file)
    return (path.parent.parent if path.stem == "__init__" else path.parent) in folders
