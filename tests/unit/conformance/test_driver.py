"""The login driver's own part: what it can do, and its codes."""

import pytest

from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.conformance import LoginDriver
from pytest_totphog.conformance.driver import OPTIONAL
from pytest_totphog.servers.totp_server import TotpServer

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
URI = f"otpauth://totp/Shop:alice?secret={SECRET}&digits=8"


class OneAccount(LoginDriver):
    """A driver of a single account."""

    def enroll(self) -> str:
        return SECRET


class Accounts(LoginDriver):
    """A driver of several accounts."""

    concurrent = False

    def new_account(self) -> str:
        return "alice"

    def enroll(self, account: str) -> str:
        return f"{account}'s secret"


@pytest.fixture
def driver() -> LoginDriver:
    """A driver with a clock and a server."""
    driver = OneAccount()
    driver.clock = FrozenClock("2024-01-15T10:30:00Z", None)
    driver.server = TotpServer(clock=driver.clock)
    return driver


def test_what_is_written_it_can() -> None:
    """A capability is a method; nothing else has to be declared."""
    assert [method for method in OPTIONAL if Accounts().can(method)] == ["new_account"]
    assert Accounts().can("enroll")
    assert not Accounts().can("submit")


def test_concurrent() -> None:
    """Attempts may be submitted from several threads unless the driver says otherwise."""
    assert OneAccount().can("concurrent")
    assert not Accounts().can("concurrent")


def test_methods_that_are_not_written() -> None:
    """They are not implemented, all of them."""
    driver = LoginDriver()
    for method, arguments in {
        "enroll": 1,
        "begin": 1,
        "submit": 2,
        "new_account": 0,
        "begin_enrolment": 1,
        "confirm_enrolment": 2,
        "recovery_codes": 1,
        "submit_recovery_code": 2,
        "disable": 1,
        "protected_page": 1,
        "reset_password": 1,
        "reset_throttle": 1,
        "change_address": 0,
        "rewind": 1,
    }.items():
        with pytest.raises(NotImplementedError):
            getattr(driver, method)(*[None] * arguments)


def test_enroll_with_and_without_an_account() -> None:
    """A driver with a single account leaves the argument out."""
    assert OneAccount().enrolled(None) == SECRET
    assert Accounts().enrolled("alice") == "alice's secret"


def test_one_time_code_is_spent(driver: LoginDriver) -> None:
    """A code that confirms an enrolment is not handed out again: the frozen clock moves on."""
    token = driver.token(SECRET)
    before = driver.clock.time()
    assert driver.one_time_code(SECRET) == token.now()
    assert token.one_time_code() == token.now()
    assert driver.clock.time() > before


def test_one_time_code_begins_with_no_zero(driver: LoginDriver) -> None:
    """So that an enrolment does not fail by chance where a login loses leading zeros."""
    token = driver.token(SECRET)
    while not token.now().startswith("0"):
        driver.clock.next_step()
    code = driver.one_time_code(SECRET)
    assert not code.startswith("0")
    assert code == token.now()


def test_parameters_that_were_found(driver: LoginDriver) -> None:
    """Where a login disregards its URI, tokens are as it is seen to compute them."""
    assert driver.token(URI).digits == 8
    driver._parameters = {"digits": 6}
    token = driver.token(URI)
    assert (token.digits, token.period, token.algorithm, token.secret) == (6, 30, "sha1", SECRET)
