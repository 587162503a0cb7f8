"""What a user gets wrong is answered in three lines: what, where, how to mend it; and with the exit code declared."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from filelock import FileLock

from keepfit import clock, governing, loop
from keepfit.errors import DefinitionError, ProjectError, RegistryError, SettingsError
from keepfit.project import open_project
from keepfit.spec.check import InvalidDefinitions

DEFINITIONS = """
from keepfit import Events, Every, Files, Float, Model
sales = Events("sales", Files("sales_*.csv"), entity="who", time="sold_at", columns={"amount": Float(min=0)})
churn = Model(
    "churn",
    observe=Every("1 month", of=sales),
    features=[sales.amount.sum(last="30d"), sales.count(last="90d")],
    target=sales.count(next="30d") == 0,
)
"""
SALES = "who,sold_at,amount\na,2025-01-05T00:00Z,1\nb,2025-01-20T00:00Z,2\na,2025-02-10T00:00Z,3\n"
AS_OF = clock.to_micros(clock.parse_moment("2025-06-01"))


@pytest.fixture
def folder(project):
    return project(DEFINITIONS, {"sales_1.csv": SALES})


def keepfit(folder, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "keepfit", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def opened(folder, profile=None, **environment):
    return open_project(folder, profile, environment)


def refusal(kind, call, *arguments, **options):
    with pytest.raises(kind) as refused:
        call(*arguments, **options)
    assert refused.value.fix, "an error without a way out"
    return refused.value


def blocked(project):
    """Return why the turn of the project's model stops."""
    (turn,) = loop.run(project, None, AS_OF)
    assert (turn.blocked, turn.decision, turn.rows["predicted"]) == (True, "keep", 0)
    return turn.reasons[0]


def test_a_project_without_a_model_ingests_and_says_what_the_other_commands_lack(project):
    folder = project(DEFINITIONS.partition("churn = ")[0], {"sales_1.csv": SALES})
    opened_ = opened(folder)
    for call in (lambda: opened_.model(), lambda: opened_.model("churn"), lambda: loop.run(opened_, None, AS_OF)):
        assert refusal(DefinitionError, call).what == "no model is declared"
    (done,) = loop.ingest_all(opened_, AS_OF)
    assert (done.table, done.appended) == ("sales", 3)


def edit(folder, name, old, new):
    path = folder / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


# on the command line


def test_check_lists_every_problem_in_one_object(folder):
    edit(folder, "definitions.py", "sales.amount.sum", "sales.amonut.sum")
    edit(folder, "definitions.py", 'last="90d"', 'last="3 months"')
    done = keepfit(folder, "check", "--json")
    assert done.returncode == 2
    problems = json.loads(done.stdout)["problems"]
    assert ["unknown column 'amonut'" in problems[0]["what"], "3 months" in problems[1]["what"]] == [True, True]
    assert "did you mean 'amount'" in problems[0]["fix"]
    assert "Traceback" not in done.stderr


def test_a_slip_of_python_is_answered_with_its_line(folder):
    edit(folder, "definitions.py", "Every(", "Evry(")
    done = keepfit(folder, "check")
    assert done.returncode == 2
    assert "NameError: name 'Evry' is not defined" in done.stderr and "definitions.py, line 6" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [("run",), ("promote", "churn", "1")])
def test_a_second_writer_is_turned_away_at_once_while_one_is_at_work(folder, command):
    state = folder / ".keepfit" / "dev"
    state.mkdir(parents=True)
    with FileLock(state / "lock"):
        done = keepfit(folder, *command, "--json", "--as-of", "2025-06-01")
    assert done.returncode == 3
    assert json.loads(done.stdout)["what"] == "another keepfit command is at work in this project"


def test_a_training_set_is_read_while_another_command_is_at_work(folder, tmp_path):
    (folder / "data" / "sales_3.csv").write_text("who,sold_at,amount\nb,2025-03-14T00:00Z,10\n")
    keepfit(folder, "ingest", "--as-of", "2025-03-15")
    (folder / "data" / "sales_2.csv").write_text("who,sold_at,amount\na,2025-01-06T00:00Z,10\n")
    written = tmp_path / "set.csv"
    command = ("dataset", "--as-of", "2025-03-15", "--to", str(written))
    with FileLock(folder / ".keepfit" / "dev" / "lock"):
        done = keepfit(folder, *command)
        told = keepfit(folder, *command, "--json")
    assert done.returncode == 0
    assert "another keepfit command is at work" in done.stderr
    assert json.loads(told.stdout)["ingested"] is False
    before = written.read_text()
    assert json.loads(keepfit(folder, *command, "--json").stdout)["ingested"] is True
    assert written.read_text() != before


def test_a_run_on_too_little_data_keeps_and_says_why(folder, tracking):
    variables = {"KEEPFIT__TRAINING__MIN_ROWS": "25", "KEEPFIT__TRACKING__URI": tracking}
    done = keepfit(folder, "run", "--json", "--as-of", "2025-06-01", **variables)
    assert done.returncode == 0, done.stderr
    turn = json.loads(done.stdout)
    assert turn["decision"] == "keep"
    assert any("25 are needed" in reason for reason in turn["reasons"])
    assert turn["champion"] is None


def test_a_malformed_moment_is_a_usage_error(folder):
    done = keepfit(folder, "run", "--as-of", "yesterday")
    assert done.returncode == 2
    assert "'yesterday' is not a date or time" in done.stderr and "Traceback" not in done.stderr


def test_a_file_that_lacks_a_column_is_answered_with_the_code_of_a_source(folder):
    edit(folder, "data/sales_1.csv", "amount", "amonut")
    done = keepfit(folder, "train", "--json", "--as-of", "2025-06-01")
    assert done.returncode == 4
    answer = json.loads(done.stdout)
    assert answer["what"] == "sales_1.csv has no column 'amount', which sales declares"
    assert "did you mean 'amonut'" in answer["fix"]


# definitions and settings


def test_every_problem_of_the_definitions_is_listed(folder):
    edit(folder, "definitions.py", "sales.amount.sum", "sales.amonut.sum")
    edit(folder, "definitions.py", 'next="30d"', 'last="30d"')
    found = refusal(InvalidDefinitions, opened, folder)
    assert len(found.problems) == 2
    assert "unknown column 'amonut' of sales" in str(found) and "looks at no events after t" in str(found)


@pytest.mark.parametrize(
    ("old", "new", "says", "line"),
    [
        ("Every(", "Evry(", "NameError: name 'Evry' is not defined", 6),
        ("observe=Every(", "observe Every(", "SyntaxError", 6),
        ("import Events", "import Event", "ImportError", 2),
        ('"churn",', '"churn", *1,', "TypeError", 4),
        ("Every(", "dict(colour=1)(", "TypeError: 'dict' object is not callable", 6),
    ],
)
def test_an_error_of_python_is_answered_with_its_line(folder, old, new, says, line):
    edit(folder, "definitions.py", old, new)
    found = refusal(DefinitionError, opened, folder)
    assert found.what.startswith(says)
    assert found.where.endswith(f"definitions.py, line {line}")


@pytest.mark.parametrize(
    ("old", "new", "says", "fix", "line"),
    [
        ('"churn",', '"churn", polcy=1,', "Model(polcy=...): there is no such argument", "did you mean 'policy'?", 4),
        ("Every(", "Every(actve=1)(", "Every(actve=...): there is no such", "'active'? Every has: active, every", 6),
        ("Every(", "Files('x', frmat=1)(", "Files(frmat=...)", "did you mean 'format'? Files has", 6),
    ],
)
def test_a_misspelt_argument_is_named_with_the_nearest_one_and_its_line(folder, old, new, says, fix, line):
    edit(folder, "definitions.py", old, new)
    found = refusal(DefinitionError, opened, folder)
    assert found.what.startswith(says)
    assert fix in found.fix
    assert found.where.endswith(f"definitions.py, line {line}")


def test_an_argument_of_a_function_that_is_not_keepfits_is_left_to_python(folder):
    edit(folder, "definitions.py", "import Events", "import Events\n\n\ndef Model_(a): ...\n\n\nModel_(b=1)\n#")
    assert refusal(DefinitionError, opened, folder).what.startswith("TypeError: Model_() got an unexpected")


@pytest.mark.parametrize(
    ("settings", "says", "fix"),
    [
        ("profiles: {dev: {}}\ntrainig: {seed: 1}\n", "unknown setting 'trainig'", "did you mean 'training'?"),
        ("profiles: {dev: {training: {sed: 1}}}\n", "unknown setting 'training.sed'", "did you mean 'seed'?"),
        ("profiles: {dev: {}}\ntraining: {min_rows: few}\n", "setting 'training.min_rows' does not fit", "'few'"),
        ("profiles: {dev: [\n", "keepfit.yaml is not valid YAML", "mend"),
        ("just a sentence\n", "keepfit.yaml must hold sections", "keepfit init"),
        ("profiles: {dev: {engine: {kind: locl}}}\n", "unknown engine 'locl'", "did you mean 'local'?"),
    ],
)
def test_settings_that_do_not_fit_are_named(folder, settings, says, fix):
    (folder / "keepfit.yaml").write_text(settings)
    found = refusal(SettingsError, lambda: opened(folder).engine)
    assert found.what.startswith(says)
    assert fix in found.fix


def test_an_unknown_profile_is_answered_with_those_there_are(folder):
    found = refusal(SettingsError, opened, folder, "prod")
    assert (found.what, found.fix) == ("unknown profile 'prod'", "there are: dev")


def test_a_variable_overrides_a_setting_and_is_checked_as_one(folder):
    assert opened(folder, KEEPFIT__TRAINING__MIN_ROWS="33").settings.training.min_rows == 33
    found = refusal(SettingsError, opened, folder, KEEPFIT__TRAINING__MIN_ROW="33")
    assert "training.min_row" in found.what and "did you mean 'min_rows'?" in found.fix


@pytest.mark.parametrize("name", ["definitions.py", "keepfit.yaml"])
def test_a_folder_that_is_no_project_is_said_to_be_none(folder, name):
    (folder / name).unlink()
    found = refusal(ProjectError, opened, folder)
    assert found.what == f"there is no {name} here"
    assert "keepfit init" in found.fix


# data


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("2025-01-05T00:00Z", "2025-01-05 00:00", "column 'sold_at' has times without a zone"),
        ("2025-", "25-", "3 of 3 rows break the rule: sold_at is not a time"),
    ],
)
def test_a_file_that_does_not_fit_stops_the_turn(folder, old, new, says):
    edit(folder, "data/sales_1.csv", old, new)
    assert says in blocked(opened(folder))


def test_a_bad_row_does_not_stop_the_ingest(folder):
    edit(folder, "data/sales_1.csv", ",2\n", ",-2\ntorn\n")
    (done,) = loop.ingest_all(opened(folder), AS_OF)
    assert (done.appended, done.quarantined) == (2, 2)


def test_an_empty_data_folder_is_said_to_be_empty(folder):
    (folder / "data" / "sales_1.csv").unlink()
    found = blocked(opened(folder))
    assert "no file matches 'sales_*.csv'" in found and "it is empty" in found


def test_a_file_that_changed_after_its_ingest_stops_the_turn(folder):
    project = opened(folder)
    loop.ingest_all(project, AS_OF)
    edit(folder, "data/sales_1.csv", ",3", ",4")
    found = blocked(project)
    assert "sales_1.csv has changed" in found and "--replace sales_1.csv" in found


def test_a_turn_before_the_first_event_keeps(folder, tracking):
    (turn,) = loop.run(
        opened(folder, KEEPFIT__TRACKING__URI=tracking), None, clock.to_micros(clock.parse_moment("2024-01-01"))
    )
    assert turn.decision == "keep"
    assert turn.rows["known"] == 0


def test_a_target_that_is_always_the_same_keeps_and_says_so(folder, tracking):
    rows = [f"c{who},2025-{month:02}-{who + 1:02}T00:00Z,1\n" for who in range(20) for month in range(1, 6)]
    (folder / "data" / "sales_1.csv").write_text("who,sold_at,amount\n" + "".join(rows))
    project = opened(folder, KEEPFIT__TRAINING__MIN_ROWS="20", KEEPFIT__TRACKING__URI=tracking)
    (turn,) = loop.run(project, None, AS_OF)
    assert turn.decision == "keep"
    assert any("there is one class only" in reason for reason in turn.reasons)


# models


def test_an_unknown_model_is_answered_with_those_there_are(folder):
    found = refusal(DefinitionError, opened(folder).model, "chrun")
    assert (found.what, found.fix) == ("unknown model 'chrun'", "did you mean 'churn'? there are: churn")


def test_an_unknown_version_cannot_be_promoted_and_nothing_can_be_rolled_back(folder, tracking):
    project = opened(folder, KEEPFIT__TRACKING__URI=tracking)
    model = project.model()
    assert "9" in refusal(RegistryError, governing.promote, project, model, "9", AS_OF, "ann", None).what
    assert refusal(RegistryError, governing.roll_back, project, model, AS_OF, "ann", "because").exit_code == 6
