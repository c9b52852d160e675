"""Twenty tests in four workers log in to one account."""

import pytest


@pytest.mark.parametrize("number", range(20))
def test_login(alice, login, number):
    assert login(alice.one_time_code()) == "Welcome, alice!"
