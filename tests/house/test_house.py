"""The rules of the house: sizes, names, layers, what an import may load, and that every command is documented."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

import keepfit
from keepfit.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "keepfit"
FILES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))

PUBLIC = [
    "Boolean", "Calendar", "Category", "Cost", "Csv", "Database", "Delta", "EachRow", "Estimator", "Events",
    "Every", "Evolution", "Excel", "Expect", "Files", "FixedWidth", "Float", "Gate", "HistGradientBoosting",
    "Holiday", "Input", "Integer", "Json", "Key", "Length", "LightGBM", "Linear", "Logistic", "Lookup", "Model",
    "Parquet", "Policy", "Python", "RandomForest", "Records", "Select", "Sentiment", "Sklearn", "Text", "Time", "Training", "Tune",
    "Watch", "XGBoost", "col", "when",
]  # fmt: skip

LONGEST_FILE, LONGEST_FUNCTION = 300, 60
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}

# what a definitions file must not wait for
ENGINES = {
    "alembic", "click", "deltalake", "duckdb", "fastapi", "filelock", "httpx", "lightgbm", "mlflow", "msgspec", "numba", "numpy",
    "obstore", "onnx", "onnxruntime", "optuna", "pandas", "psycopg", "pyarrow", "pydantic", "pymysql", "rich", "sklearn",
    "skops", "sqlalchemy", "sqlglot", "uvicorn", "xgboost", "yaml",
}  # fmt: skip


@cache
def tree(name: str) -> ast.Module:
    return ast.parse((SOURCE / name).read_text(encoding="utf-8"))


def imports(name: str) -> Iterator[str]:
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def functions() -> dict[str, int]:
    """Return the lines of every function without its docstring, by file and name; of two of one name the longer."""
    found: dict[str, int] = {}
    for name in FILES:
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                key = f"{name}:{node.name}"
                words = len((ast.get_docstring(node, clean=False) or "").splitlines())
                found[key] = max(found.get(key, 0), (node.end_lineno or 0) - node.lineno + 1 - words)
    return found


# the public face


def test_the_public_names_are_these():
    assert sorted(keepfit.__all__) == sorted(PUBLIC)
    assert all(hasattr(keepfit, name) for name in PUBLIC)


def test_importing_the_words_of_a_definition_loads_no_engine():
    code = "import sys, keepfit; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {module.split(".")[0] for module in done.stdout.split()}
    assert "keepfit" in loaded
    assert loaded & ENGINES == set()


def test_the_package_says_that_it_is_typed():
    assert (SOURCE / "py.typed").is_file()


def test_every_public_name_is_documented():
    assert [name for name in PUBLIC if not (getattr(keepfit, name).__doc__ or "").strip()] == []


def test_every_entry_point_loads():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert {"keepfit.deployers", "keepfit.engines", "keepfit.estimators", "keepfit.sources"} <= set(declared)
    for group, points in declared.items():
        installed = {point.name: point for point in entry_points(group=group)}
        for name, value in points.items():
            assert installed[name].value == value
            assert callable(installed[name].load())


# sizes and names


def test_every_file_is_one_idea_long():
    long = {name for name in FILES if len((SOURCE / name).read_text(encoding="utf-8").splitlines()) > LONGEST_FILE}
    assert long == set(LONG_FILES)


def test_every_function_is_one_idea_long():
    long = {name for name, lines in functions().items() if lines > LONGEST_FUNCTION}
    assert long == set(LONG_FUNCTIONS)


def test_no_room_is_named_after_nothing():
    dumps = {"utils", "util", "common", "helpers", "helper", "core", "base", "misc"}
    assert [name for name in FILES if dumps & {part.removesuffix(".py").strip("_") for part in Path(name).parts}] == []


def test_every_module_begins_with_its_idea():
    assert [name for name in FILES if not name.startswith("templates/empty") and not ast.get_docstring(tree(name))] == [
        "templates/shop/definitions.py",  # the page that the design shows
    ]


# what the code may not do


def test_only_the_command_line_reads_the_clock():
    clock = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.time(_ns)?)\b\(?")
    readers = {name for name in FILES if clock.search((SOURCE / name).read_text(encoding="utf-8"))}
    assert readers == {"cli/options.py"}


def test_nothing_imports_pickle_or_what_unpickles():
    banned = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    assert [(name, one) for name in FILES for one in imports(name) if one.split(".")[0] in banned] == []


def test_only_the_console_prints():
    def prints(name: str) -> bool:
        calls = (node.func for node in ast.walk(tree(name)) if isinstance(node, ast.Call))
        return any(
            getattr(call, "id", "") == "print" or ast.unparse(call) in ("click.echo", "sys.stdout.write")
            for call in calls
        )

    assert [name for name in FILES if prints(name)] == ["cli/console.py"]


def test_imports_go_down_and_siblings_are_blind():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"}
    )
    assert done.returncode == 0, done.stdout


# the command line


def command(name: str) -> click.Command:
    """Return a command, such as `tables` or `tables show`."""
    found: click.Command | None = cli
    for word in name.split():
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), word)
    assert found is not None
    return found


GROUPS = {name: found.commands for name in COMMANDS if isinstance(found := command(name), click.Group)}
EVERY = [*COMMANDS, *(f"{name} {word}" for name, words in GROUPS.items() for word in words)]


def options(name: str) -> set[str]:
    return {option for parameter in command(name).params for option in parameter.opts}


def test_the_help_lists_every_command_in_the_order_of_the_loop():
    assert cli.list_commands(click.Context(cli)) == list(COMMANDS)


def test_every_command_function_is_listed():
    modules = {
        import_module(f"keepfit.cli.{path.stem}") for path in (SOURCE / "cli").glob("*.py") if path.stem != "__init__"
    }
    made = {value.name for module in modules for value in vars(module).values() if isinstance(value, click.Command)}
    assert made - {"cli"} == set(COMMANDS) | {word for words in GROUPS.values() for word in words}


@pytest.mark.parametrize("name", EVERY)
def test_every_command_is_documented_with_an_example(name):
    text = command(name).get_help(click.Context(command(name), info_name=name))
    example = text.partition("Example:")[2]
    assert f"keepfit {name}" in example
    assert all(parameter.help for parameter in command(name).params if isinstance(parameter, click.Option))


@pytest.mark.parametrize("name", EVERY)
def test_every_command_takes_a_project_a_profile_and_json(name):
    assert {"--project", "--profile", "--json"} <= options(name)


TIMELESS = ("check", "deploy", "features", "infer", "serve", "token", "token new")


@pytest.mark.parametrize("name", [name for name in EVERY if name not in TIMELESS])
def test_every_command_that_acts_on_data_takes_its_moment(name):
    assert "--as-of" in options(name)


def test_an_unknown_command_asks_which_was_meant():
    with pytest.raises(click.UsageError, match=r"unknown command 'trian'; did you mean 'train'\?"):
        cli.main(["trian"], standalone_mode=False)
