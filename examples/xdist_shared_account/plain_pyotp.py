"""The same twenty tests with plain pyotp, which does not know what others have used: most of them fail."""

import pyotp
import pytest
from app import PERIOD, SECRET


@pytest.mark.parametrize("_number", range(20))
def test_login(login, _number):
    assert login(pyotp.TOTP(SECRET, interval=PERIOD).now()) == "Welcome, alice!"
