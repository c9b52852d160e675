"""The battery on django-two-factor-auth: `pytest django_two_factor_auth`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django_sites import running_site

from pytest_totphog.conformance import LoginDriver, TotpConformance


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The site, with a fresh database."""
    with running_site("django_two_factor_auth.settings", tmp_path_factory.mktemp("site") / "site.sqlite3"):
        yield


class TestDjangoTwoFactorAuth(TotpConformance):
    @pytest.fixture
    def login_driver(self, site: None) -> LoginDriver:
        from django_two_factor_auth.login import TwoFactorLogin

        return TwoFactorLogin()
