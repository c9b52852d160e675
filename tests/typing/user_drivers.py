"""Drivers of logins as users write them, for one account or for many."""

import itertools

import pytest

from pytest_totphog import PracticeBackend
from pytest_totphog.conformance import LoginDriver, Outcome, TotpConformance
from pytest_totphog.conformance.drivers import HttpLogin


class OneAccount(LoginDriver):
    def enroll(self) -> str:
        return "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

    def begin(self, account: None) -> str:
        return "attempt"

    def submit(self, attempt: str, code: object) -> Outcome:
        return Outcome.ACCEPTED if code == "123456" else Outcome.REFUSED


class ManyAccounts(HttpLogin):
    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.names = (f"user{number}" for number in itertools.count())

    def new_account(self) -> str:
        return next(self.names)

    def enroll(self, account: str) -> str:
        uri = f"otpauth://totp/{account}?secret=JBSWY3DPEHPK3PXP"
        self.one_time_code(uri)
        return uri


class TestOne(TotpConformance):
    driver = OneAccount
    waive = {"V13": "the app is old"}  # noqa: RUF012 -- as users write it


class TestMany(TotpConformance):
    @pytest.fixture
    def login_driver(self, simple_backend: PracticeBackend) -> LoginDriver:
        return ManyAccounts(simple_backend.url)
