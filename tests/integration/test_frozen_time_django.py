"""Django while the clock stands still: live_server in its own thread, and django-otp as the verifier."""

import pytest

SETTINGS = """
    SECRET_KEY = "for tests"
    ROOT_URLCONF = "urls"
    INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django_otp", "django_otp.plugins.otp_totp"]
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
    ALLOWED_HOSTS = ["*"]
    STATIC_URL = "static/"
    USE_TZ = True
    TIME_ZONE = "America/New_York"
"""

URLS = """
    import time
    from django.http import JsonResponse
    from django.urls import path
    from django.utils import timezone
    from django_otp.plugins.otp_totp.models import TOTPDevice

    def verify(request, code):
        device = TOTPDevice.objects.get()
        answer = {"time": time.time(), "now": timezone.now().isoformat(), "accepted": device.verify_token(code)}
        device.refresh_from_db()
        return JsonResponse(answer | {"last_used_at": device.last_used_at and device.last_used_at.isoformat()})

    urlpatterns = [path("<code>", verify)]
"""

TESTS = """
    import base64, os, time
    import pytest, requests
    from django.contrib.auth.models import User
    from django_otp.plugins.otp_totp.models import TOTPDevice

    @pytest.fixture(params=["freezegun", "time-machine"])
    def clock(request):
        request.applymarker(pytest.mark.frozen_clock(patch=request.param))
        return request.getfixturevalue("frozen_clock")

    @pytest.fixture
    def device(transactional_db, totp_token):
        user = User.objects.create_user("alice")
        key = base64.b32decode(totp_token.secret).hex()
        return TOTPDevice.objects.create(user=user, key=key, tolerance=0, throttling_failure_count=0)

    @pytest.fixture
    def verify(live_server, device):
        return lambda code: requests.get(f"{live_server.url}/{code}", timeout=5).json()

    def test_live_server_sees_the_frozen_time(clock, verify):
        answer = verify("no code")
        assert (answer["time"], answer["now"]) == (1705314600, "2024-01-15T10:30:00+00:00")
        clock.tick(90)
        answer = verify("no code")
        assert (answer["time"], answer["now"]) == (1705314690, "2024-01-15T10:31:30+00:00")
        clock.unfreeze()
        assert verify("no code")["time"] > 1735689600

    def test_device_accepts_each_code_once(clock, verify, totp_token):
        code = totp_token.one_time_code()
        answer = verify(code)
        assert (answer["accepted"], answer["last_used_at"]) == (True, "2024-01-15T10:30:00+00:00")
        assert verify(code)["accepted"] is False
        clock.tick(3)  # django-otp makes the next try wait for a second after a failure
        assert verify(totp_token.one_time_code())["accepted"] is True

    def test_device_refuses_other_codes(clock, device, totp_token):
        assert device.verify_token(totp_token.expired_code()) is False
        clock.tick(5)
        assert device.verify_token(totp_token.future_code()) is False
        clock.tick(5)
        assert device.verify_token(totp_token.now()) is True

    def test_the_time_is_real_again():
        assert time.time() > 1735689600
        assert (os.environ["TZ"], time.timezone) == ("America/New_York", 18000)
"""


def test_live_server_and_django_otp(project: pytest.Pytester) -> None:
    """Django's thread sees the frozen time and its verifier accepts the codes, with a TIME_ZONE far from UTC."""
    project.makepyfile(settings=SETTINGS, urls=URLS, test_project=TESTS)
    project.runpytest_subprocess("-p", "django", "--ds=settings").assert_outcomes(passed=7)
