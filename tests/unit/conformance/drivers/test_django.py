"""The driver for Django projects, on the example with django-otp."""

import sys
from pathlib import Path

import pytest

from pytest_totphog.conformance.drivers import DjangoLogin
from pytest_totphog.errors import TotphogError

LIGHTHOUSE = Path(__file__).parents[4] / "examples" / "django_live_server"

LOGIN = """
    from django.contrib.auth.models import User
    from django_otp.plugins.otp_totp.models import TOTPDevice
    from pytest_totphog.conformance.drivers import DjangoLogin

    class LighthouseLogin(DjangoLogin):
        code_field = "otp_token"
        accepted_path = "/"
        throttled_text = "Verification temporarily disabled"
        protected_path = "/"

        def enroll(self, account):
            return TOTPDevice.objects.create(user=User.objects.get(username=account.username)).config_url

        def code_fields(self, attempt):
            device = TOTPDevice.objects.get(user__username=attempt.account.username)
            return {"otp_device": device.persistent_id}
"""

TESTS = """
    import pytest
    from django.conf import settings
    from django.contrib.sessions.models import Session
    from lighthouse_login import LighthouseLogin
    from pytest_totphog.conformance import Outcome

    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture
    def login(frozen_clock, totp_server):
        login = LighthouseLogin()
        login.clock, login.server = frozen_clock, totp_server
        return login

    @pytest.fixture
    def account(login):
        return login.new_account()

    @pytest.fixture
    def token(login, account):
        return login.token(login.enroll(account))

    def test_right_code(login, account, token):
        attempt = login.begin(account)
        assert login.protected_page(attempt) is False
        assert login.submit(attempt, token.one_time_code()) is Outcome.ACCEPTED
        assert login.protected_page(attempt) is True
        assert login.protected_page(login.begin(account)) is False

    def test_wrong_code_and_throttle(login, account, token, frozen_clock):
        attempt = login.begin(account)
        assert login.submit(attempt, token.wrong_code()) is Outcome.REFUSED
        assert login.submit(attempt, token.one_time_code()) is Outcome.THROTTLED
        frozen_clock.tick(1)
        assert login.submit(attempt, token.one_time_code()) is Outcome.ACCEPTED

    def test_errors_are_pages(login, account, token, settings):
        settings.OTP_TOTP_THROTTLE_FACTOR = "not a number"
        assert login.submit(login.begin(account), token.wrong_code()) is Outcome.REFUSED

    def test_addresses(login, account, token):
        seen = []
        attempt = login.begin(account)
        for _ in range(2):
            seen.append(login.request(attempt.session, "GET", "/login/").response.wsgi_request.META["REMOTE_ADDR"])
            login.change_address()
        assert seen[0] == "127.0.0.1" and seen[1].startswith("10.")

    def test_responses_are_recorded(login, account, token):
        login.begin(account)
        assert "/code/?next=/" in login.responses[1] and "Content-Type: text/html" in login.responses[1]

    def test_accounts_are_new_ones(login):
        one, other = login.new_account(), login.new_account()
        assert one.username != other.username and one.password != other.password
        assert one.password not in repr(one)

    def test_races_need_a_database_in_a_file(login):
        assert login.can("concurrent") is ("tests.sqlite3" in str(settings.DATABASES["default"]["NAME"]))
"""

BATTERY = """
    import pytest
    from lighthouse_login import LighthouseLogin
    from pytest_totphog.conformance import TotpConformance

    @pytest.mark.django_db(transaction=True)
    class TestLighthouse(TotpConformance):
        driver = LighthouseLogin
"""

FILE_SETTINGS = """
    from lighthouse.settings import *
    DATABASES["default"]["TEST"] = {"NAME": "tests.sqlite3"}
"""


FILE_DATABASE = """
    from lighthouse.settings import *
    DATABASES["default"]["NAME"] = "site.sqlite3"
"""

MODELS = """
    from django.contrib.auth.models import User
    from django_otp.plugins.otp_totp.models import TOTPDevice
"""

WITHOUT_PYTEST_DJANGO = """
    import lighthouse_login
    from django.conf import settings
    from pytest_totphog.conformance import TotpConformance

    class LateLogin(lighthouse_login.LighthouseLogin):
        def __init__(self):
            super().__init__()
            # Models can be imported when Django is set up, which the driver has done.
            from django.contrib.auth.models import User
            from django.core.management import call_command
            from django_otp.plugins.otp_totp.models import TOTPDevice
            lighthouse_login.User, lighthouse_login.TOTPDevice = User, TOTPDevice
            call_command("migrate", verbosity=0)

        def open_session(self):
            session = super().open_session()
            assert "testserver" in settings.ALLOWED_HOSTS
            return session

    class TestLighthouse(TotpConformance):
        driver = LateLogin

    def test_afterwards():
        from django.core import mail
        assert "testserver" not in settings.ALLOWED_HOSTS
        assert not hasattr(mail, "outbox")
"""


@pytest.fixture
def lighthouse(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """The example's project, its database in memory or, with other settings, in a file; run in another process."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p totphog -p django -W error --strict-markers")
    monkeypatch.setenv("PYTHONPATH", f"{LIGHTHOUSE}:{Path(__file__).parents[4]}")
    pytester.makepyfile(lighthouse_login=LOGIN, in_a_file=FILE_SETTINGS)
    return pytester


@pytest.mark.parametrize("settings", ["lighthouse.settings", "in_a_file"])
def test_driver(lighthouse: pytest.Pytester, settings: str) -> None:
    """Logins through the test client, as the tests above say, with either database."""
    lighthouse.makepyfile(test_project=TESTS)
    lighthouse.runpytest_subprocess(f"--ds={settings}").assert_outcomes(passed=7)


def test_battery(lighthouse: pytest.Pytester) -> None:
    """The battery runs on it with pytest-django's database; in memory no race is tried."""
    lighthouse.makepyfile(test_project=BATTERY)
    result = lighthouse.runpytest_subprocess("--ds=lighthouse.settings", "-rs", "-k", "V1_ or V4_ or V19_ or V24_")
    result.assert_outcomes(passed=3, skipped=1)
    result.stdout.fnmatch_lines("*V4: the driver's attempts cannot be submitted from several threads*")


def test_battery_without_pytest_django(lighthouse: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver sets Django and its test environment up, for mails, hosts and contexts, and down after each rule."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p totphog -W error --strict-markers")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "in_a_file")
    login = LOGIN.replace(MODELS, "")
    lighthouse.makepyfile(in_a_file=FILE_DATABASE, lighthouse_login=login, test_project=WITHOUT_PYTEST_DJANGO)
    result = lighthouse.runpytest_subprocess("-k", "V1_ or V24_ or afterwards")
    result.assert_outcomes(passed=3, deselected=32)


def test_without_django(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what is missing, and how to get it."""
    monkeypatch.setitem(sys.modules, "django.test", None)
    with pytest.raises(
        TotphogError, match=r"DjangoLogin drives a Django project, and Django is not installed; .* pip install django"
    ):
        DjangoLogin()
