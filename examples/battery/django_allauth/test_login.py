"""The battery on django-allauth: `pytest django_allauth`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django_sites import running_site

from pytest_totphog.conformance import LoginDriver, TotpConformance


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The site, with a fresh database."""
    with running_site("django_allauth.settings", tmp_path_factory.mktemp("site") / "site.sqlite3"):
        yield


class TestDjangoAllauth(TotpConformance):
    @pytest.fixture
    def login_driver(self, site: None) -> LoginDriver:
        from django_allauth.login import AllauthLogin

        return AllauthLogin()
