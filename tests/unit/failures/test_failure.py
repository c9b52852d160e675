"""The facts of a failed test, on their way to the report."""

import json
from dataclasses import replace

from pytest_totphog.authenticator.codes import CodeOrigin
from pytest_totphog.failures.failure import AppClock, ClockState, Failure
from tests.unit.failures.failing import SECONDS, code, failure


def test_travels_as_json() -> None:
    """What a worker of pytest-xdist sends is what its controller reads."""
    frozen = ClockState(SECONDS, True, "freezegun", (30.0, -60.0), 2, True)
    told = failure(code(), clock=frozen, apps=(AppClock("http://127.0.0.1:5000", -41),), server="http://totphog:8045")
    told = replace(told, leftovers=("yaml.representer.TYPES",), fake_type="FakeDatetime")

    assert Failure.from_dict(json.loads(json.dumps(told.as_dict()))) == told


def test_codes_to_log_in_with() -> None:
    """Those that an app should accept; the others are refused on purpose."""
    given = ["now()", "one_time_code()", "GET /tokens/…/code", "POST /codes"]
    others = ["at()", "wrong_code()", "expired_code()", "future_code()", "GET /tokens/…/code?at=…"]

    assert [CodeOrigin(by).for_login for by in given] == [True] * 4
    assert [CodeOrigin(by).for_login for by in others] == [False] * 5
