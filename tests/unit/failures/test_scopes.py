"""A wider-scoped fixture that asks for one which is made for each test."""

import pytest

from pytest_totphog import plugin
from pytest_totphog.failures.scopes import WIDER, advice

MISMATCH = "ScopeMismatch: You tried to access the function scoped fixture {} with a session scoped request object."


def test_what_to_use_instead_is_named() -> None:
    """With the scope that was asked for."""
    assert advice(MISMATCH.format("totp_server")) == (
        "totp_server is made for each test. In a fixture with scope 'session' use\n"
        "totp_server_session, which is the same server."
    )


@pytest.mark.parametrize("error", [MISMATCH.format("database"), "ScopeMismatch", "no such fixture totp_server", ""])
def test_other_errors_have_no_advice(error: str) -> None:
    """They are not about these fixtures."""
    assert advice(error) is None


def test_each_fixture_for_one_test_has_advice() -> None:
    """None is forgotten, and none that pytest would not refuse is named."""
    markers = {name: getattr(value, "_fixture_function_marker", None) for name, value in vars(plugin).items()}
    assert {name for name, marker in markers.items() if marker is not None and marker.scope == "function"} == set(WIDER)
