"""A login of a Django project, through Django's test client."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

from pytest_totphog.conformance.drivers.form import FormLogin, LoginAccount, Page
from pytest_totphog.errors import TotphogError

__all__ = ["DjangoLogin"]


class DjangoLogin(FormLogin):
    """A login of a Django project, in the same process, through Django's test client.

    With pytest-django, mark the test class with `@pytest.mark.django_db(transaction=True)`. Without it the driver sets
    Django and its test environment up, until the rule is judged; the database is then the test class's affair. On a
    SQLite database in memory, which all threads share, no race is tried: give the tests a file,
    `"TEST": {"NAME": "tests.sqlite3"}`.

    Raises:
        TotphogError: where Django is not installed.
    """

    login_path = "/login/"
    address = "127.0.0.1"

    def __init__(self) -> None:
        try:
            import django.test  # noqa: F401 # to say it here, and not in the middle of a rule
        except ImportError:
            raise TotphogError(
                f"{type(self).__name__} drives a Django project, and Django is not installed; install it with: "
                "pip install django"
            ) from None
        super().__init__()
        self._tear_down: Callable[[], object] | None = None
        self._set_up()

    def new_account(self) -> LoginAccount:
        """Make a user with a random name, address and password."""
        from django.contrib.auth import get_user_model

        account = LoginAccount(f"user-{secrets.token_hex(6)}", secrets.token_urlsafe(16))
        get_user_model().objects.create_user(account.username, f"{account.username}@example.com", account.password)
        return account

    def open_session(self) -> Any:
        """Return a test client, without cookies, that shows errors as the pages that visitors see."""
        self._set_up()
        from django.test import Client

        return Client(raise_request_exception=False)

    def request(self, session: Any, method: str, path: str, fields: Mapping[str, Any] | None = None) -> Page:
        """Send a request, follow its redirects, and return what it came to."""
        from django.db import connections

        send = session.get if method == "GET" else session.post
        answer = send(path, fields, follow=True, REMOTE_ADDR=self.address)
        if threading.current_thread() is not threading.main_thread():
            # A race is run in threads, and each has been given connections of its own.
            connections.close_all()
        urls = [url for url, _ in answer.redirect_chain]
        text = answer.getvalue().decode(errors="replace")
        self.responses.append("\n".join([*urls, *(f"{name}: {value}" for name, value in answer.items()), text]))
        return Page(answer.status_code, answer.wsgi_request.get_full_path(), text, answer)

    def finish(self) -> None:
        """Tear Django's test environment down, if this driver has set it up."""
        if self._tear_down is not None:
            self._tear_down()
            self._tear_down = None

    def _set_up(self) -> None:
        """Set Django and its test environment up, unless pytest-django or the project has: mails, hosts, contexts."""
        import django
        from django.apps import apps
        from django.test.utils import setup_test_environment, teardown_test_environment

        if not apps.ready:
            django.setup()
        try:
            setup_test_environment()
        except RuntimeError:
            return  # it is set up already, and Django tells in no other way
        self._tear_down = teardown_test_environment

    def change_address(self) -> None:
        """Send what follows from another address, as `REMOTE_ADDR` tells it."""
        self.address = ".".join(["10", *(str(part) for part in secrets.token_bytes(3))])

    def can(self, method: str) -> bool:
        """Return whether a method is there to be used; races are, where each thread has a connection of its own."""
        if method == "concurrent":
            from django.db import connections

            shared = any(each.vendor == "sqlite" and each.is_in_memory_db() for each in connections.all())
            return self.concurrent and not shared
        return super().can(method)
