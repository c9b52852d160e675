"""Test cases as users write them: what the type checkers make of them."""

import unittest
from typing import assert_type

from pytest_totphog import FrozenClock, HasTotpUri, TotpServer, TotpToken
from pytest_totphog.unittest import TotpTestCase, frozen_clock, totp, totp_server


class Factor:
    def totp_uri(self) -> str:
        return "otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@frozen_clock("2030-01-01T00:00:00Z")
@totp(digits=8)
class LoginTest(TotpTestCase, unittest.TestCase):
    phone: TotpToken

    @classmethod
    def setUpClass(cls) -> None:
        cls.phone = cls.totp_server_of_class().add_token(name="alice")

    def test_login(self) -> None:
        record: HasTotpUri = Factor()
        assert_type(self.enroll(record), TotpToken)
        assert_type(self.one_time_code(self.phone, min_remaining=5), str)
        assert_type(self.totp_server, TotpServer)
        assert_type(self.totp_token, TotpToken)
        assert_type(self.frozen_clock(patch=None), FrozenClock)

    @frozen_clock(0)
    @totp(uri="otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    def test_decorated(self) -> None:
        with totp_server() as server, totp(name="bob") as token, frozen_clock() as clock:
            assert_type(server, TotpServer)
            assert_type(token, TotpToken)
            assert_type(clock, FrozenClock)


class AsyncLoginTest(TotpTestCase, unittest.IsolatedAsyncioTestCase):
    @frozen_clock()
    async def test_login(self) -> None:
        assert_type(await self.totp_token.aone_time_code(), str)
