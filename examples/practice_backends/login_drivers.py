"""How the battery uses two of the practice backends: drivers, as a team writes one for its own login.

The apps run in the battery's process, so nothing listens on a port; with `requests` in place of Werkzeug's test client
the drivers would do for a server as well.
"""

import base64
import io
from functools import cached_property
from http.cookies import SimpleCookie
from itertools import count
from types import MappingProxyType

import zxingcpp
from PIL import Image
from werkzeug.test import Client

from pytest_totphog import VerifierPolicy, create_app
from pytest_totphog.conformance import LoginDriver, Outcome

# One step of drift, each code once, and five failures in a row: stricter than what the API documents ask for.
HARDENED = VerifierPolicy(window=1, one_time=True, max_failures=5, lockout_seconds=900)


def scan(data_url):
    """What a phone's camera reads in a picture."""
    png = base64.b64decode(data_url.partition("base64,")[2])
    return zxingcpp.read_barcode(Image.open(io.BytesIO(png))).text


class Browser:
    """A session with an app: its cookies, and the access token that the app has given away by now, if any."""

    def __init__(self, user, cookies=()):
        self.user = user
        self.cookies = dict(cookies)
        self.access_token = None

    def headers(self):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        return headers if self.access_token is None else {**headers, "Authorization": f"Bearer {self.access_token}"}

    def keep_cookies(self, answer):
        for header in answer.headers.getlist("Set-Cookie"):
            self.cookies.update({name: morsel.value for name, morsel in SimpleCookie(header).items()})


class InProcess(LoginDriver):
    """What both drivers have in common: an app on the battery's clock, an address, and what was answered."""

    name: str
    options = MappingProxyType({})
    policy = HARDENED
    flaws = frozenset()

    def __init__(self):
        self.responses = []
        self.numbers = count(1)
        self.addresses = (f"192.0.2.{number}" for number in count(1))
        self.change_address()

    @cached_property
    def client(self):
        app = create_app(self.name, clock=self.clock, policy=self.policy, flaws=self.flaws, **self.options)
        return Client(app, use_cookies=False)

    def change_address(self):
        self.address = next(self.addresses)

    def send(self, browser, method, path, **body):
        answer = self.client.open(
            path,
            method=method,
            json=body if method == "POST" else None,
            headers=browser.headers(),
            environ_overrides={"REMOTE_ADDR": self.address},
        )
        browser.keep_cookies(answer)
        self.responses.append(answer.text)
        return answer


class SimpleDriver(InProcess):
    """simple: a user has a secret from the start, and no password."""

    name = "simple"

    def new_account(self):
        return f"user {next(self.numbers)}"

    def enroll(self, account):
        return scan(self.send(Browser(account), "POST", "/register", username=account).json["qrCode"])

    def begin(self, account):
        return Browser(account)

    def submit(self, attempt, code):
        answer = self.send(attempt, "POST", "/verify-totp", username=attempt.user, token=code)
        return Outcome.ACCEPTED if answer.status_code == 200 else Outcome.REFUSED


class User:
    """Somebody with an account at login-demo."""

    def __init__(self, email):
        self.email = email
        self.password = "correct horse"
        self.browser = Browser(self)
        self.codes_noted = False

    @property
    def credentials(self):
        return {"email": self.email, "password": self.password}


class LoginDemoDriver(InProcess):
    """login-demo, with what its API document does not have: disabling takes a code, and passwords can be reset."""

    name = "login-demo"

    @cached_property
    def options(self):
        # The mail of a password reset never leaves the process.
        self.mails = {}
        return {"disable_takes_code": True, "send_reset": self.mails.__setitem__, "jwt_lifetime": 86_400}

    # Accounts and their second factor

    def new_account(self):
        user = User(f"user{next(self.numbers)}@example.com")
        self.send(user.browser, "POST", "/api/auth/register", **user.credentials)
        return user

    def enroll(self, account):
        uri = self.begin_enrolment(account)
        assert self.confirm_enrolment(account, self.one_time_code(uri)) is Outcome.ACCEPTED
        return uri

    def begin_enrolment(self, account):
        if account.browser.access_token is None:
            self.log_in(account.browser)
        setup = self.send(account.browser, "POST", "/api/mfa/totp/setup").json
        account.recovery_codes = setup["backupCodes"]
        return scan(setup["qrCode"])

    def confirm_enrolment(self, account, code):
        answer = self.send(account.browser, "POST", "/api/mfa/totp/verify", code=code)
        return Outcome.ACCEPTED if answer.status_code == 200 else Outcome.REFUSED

    def recovery_codes(self, account):
        # They come with the secret, so for others the account is enrolled anew.
        if account.codes_noted:
            self.enroll(account)
        account.codes_noted = True
        return account.recovery_codes

    def disable(self, attempt, code=None):
        answer = self.send(attempt, "POST", "/api/mfa/totp/disable", **({} if code is None else {"code": code}))
        return Outcome.ACCEPTED if answer.status_code == 200 else Outcome.REFUSED

    # The login

    def begin(self, account):
        attempt = Browser(account)
        self.log_in(attempt)
        attempt.cookies_at_first = dict(attempt.cookies)
        return attempt

    def submit(self, attempt, code):
        return self.log_in(attempt, totpCode=code)

    def submit_recovery_code(self, attempt, code):
        return self.log_in(attempt, totpCode=code)

    def log_in(self, browser, **code):
        answer = self.send(browser, "POST", "/api/auth/login", **browser.user.credentials, **code).json
        browser.access_token = answer.get("token", browser.access_token)
        return Outcome.ACCEPTED if answer["success"] else Outcome.REFUSED

    def rewind(self, attempt):
        return Browser(attempt.user, attempt.cookies_at_first)

    def protected_page(self, attempt):
        return self.send(attempt, "GET", "/api/user/me").status_code == 200

    def reset_password(self, account):
        attempt = Browser(account)
        self.send(attempt, "POST", "/api/auth/forgot-password", email=account.email)
        account.password = "battery staple"
        reset = {"token": self.mails[account.email], "password": account.password}
        attempt.access_token = self.send(attempt, "POST", "/api/auth/reset-password", **reset).json.get("token")
        return attempt
