"""Twenty tests in four workers log in to one account."""

import pytest


@pytest.mark.parametrize("_number", range(20))
def test_login(alice, login, _number):
    assert login(alice.one_time_code()) == "Welcome, alice!"
