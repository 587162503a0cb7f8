"""What happened, where, and how to fix it."""

from __future__ import annotations

import pytest

from keepfit import errors
from keepfit.errors import KeepfitError, RequestError, SettingsError, did_you_mean


def kinds() -> list[type[KeepfitError]]:
    return [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, KeepfitError)]


def test_an_error_reads_as_what_where_and_fix():
    assert str(SettingsError("it broke", where="keepfit.yaml", fix="mend it")) == (
        "it broke\n  where: keepfit.yaml\n  fix:   mend it"
    )


def test_what_is_not_known_takes_no_line():
    assert str(SettingsError("it broke")) == "it broke"
    assert str(SettingsError("it broke", fix="mend it")) == "it broke\n  fix:   mend it"


def test_an_error_is_data():
    assert SettingsError("it broke", where="here", fix="mend it").as_dict() == {
        "error": "SettingsError",
        "what": "it broke",
        "where": "here",
        "fix": "mend it",
    }


def test_a_request_error_carries_its_status():
    assert RequestError("no such entity", http_status=404).http_status == 404
    assert RequestError("malformed").http_status == 422


@pytest.mark.parametrize("kind", kinds())
def test_the_tree_at_the_top_draws_every_error_with_its_exit_code(kind):
    (line,) = [line for line in errors.__doc__.splitlines() if line.split("── ")[-1].split()[:1] == [kind.__name__]]
    if kind is not KeepfitError:
        assert kind.__base__ is KeepfitError
        assert (f"(exit {kind.exit_code})" in line) or (kind is RequestError and "(HTTP 4xx)" in line)


def test_the_nearest_name_comes_first_and_then_what_exists():
    assert (
        did_you_mean("amonut", ["channel", "amount"], of="sales") == "did you mean 'amount'? sales has: amount, channel"
    )
    assert did_you_mean("zzz", ["channel", "amount"]) == "there are: amount, channel"


def test_a_listing_is_bounded():
    assert did_you_mean("zzz", [f"column_{place:02}" for place in range(14)]).endswith("column_11 and 2 more")


def test_nothing_known_is_said():
    assert did_you_mean("churn", [], of="the registry") == "the registry has: nothing yet"
