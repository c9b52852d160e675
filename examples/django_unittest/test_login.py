"""Thirty tests that use real codes, for `manage.py test --parallel 4` and for pytest."""

from django.contrib.auth.models import User
from django.test import TestCase
from django_otp.plugins.otp_totp.models import TOTPDevice

from pytest_totphog.unittest import TotpTestCase, frozen_clock

PASSWORD = "correct horse"
# One key for all tests: workers that shared nothing would use up each other's codes.
KEY = "3132333435363738393031323334353637383930"


@frozen_clock()
class Login(TotpTestCase):
    """The same ten tests for each kind of device."""

    shape = {}

    def setUp(self):
        alice = User.objects.create_user("alice", password=PASSWORD)
        self.device = TOTPDevice.objects.create(user=alice, key=KEY, **self.shape)
        self.phone = self.enroll(self.device)

    def log_in(self, code, password=PASSWORD):
        login = {"username": "alice", "password": password, "code": code}
        return self.client.post("/login/", login).status_code == 200

    def test_right_code(self):
        self.assertTrue(self.log_in(self.one_time_code(self.phone)))

    def test_two_logins_in_a_row(self):
        self.assertTrue(self.log_in(self.one_time_code(self.phone)))
        self.assertTrue(self.log_in(self.one_time_code(self.phone)))

    def test_replay(self):
        code = self.one_time_code(self.phone)
        self.assertTrue(self.log_in(code))
        self.assertFalse(self.log_in(code))

    def test_wrong_code(self):
        self.assertFalse(self.log_in(self.phone.wrong_code()))

    def test_expired_code(self):
        self.assertFalse(self.log_in(self.phone.expired_code()))

    def test_code_of_the_future(self):
        self.assertFalse(self.log_in(self.phone.future_code()))

    def test_code_without_password(self):
        self.assertFalse(self.log_in(self.one_time_code(self.phone), password="wrong"))

    def test_throttle(self):
        code = self.one_time_code(self.phone)
        self.assertFalse(self.log_in(self.phone.wrong_code()))
        self.assertFalse(self.log_in(code), "too soon after a failure")
        self.assertTrue(self.log_in(self.one_time_code(self.phone)))

    def test_home_is_open_after_the_code(self):
        self.assertEqual(self.client.get("/").content, b"Log in first")
        self.log_in(self.one_time_code(self.phone))
        self.assertEqual(self.client.get("/").content, b"Your orders")

    def test_five_logins(self):
        for _ in range(5):
            self.assertTrue(self.log_in(self.one_time_code(self.phone)))


class SixDigits(Login, TestCase):
    pass


class EightDigits(Login, TestCase):
    shape = {"digits": 8}


class OneMinute(Login, TestCase):
    shape = {"step": 60}
