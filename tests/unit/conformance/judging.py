"""The battery's rules on a login of these tests, without pytest around them."""

from __future__ import annotations

from pytest_totphog.clocks.frozen_clock import FrozenClock
from pytest_totphog.conformance.battery import verdict_of
from pytest_totphog.conformance.context import Context, Progress
from pytest_totphog.conformance.control import problem_of
from pytest_totphog.conformance.finding import Verdict
from pytest_totphog.conformance.profiles import profile_of
from pytest_totphog.conformance.rules import CHECKS
from pytest_totphog.servers.totp_server import TotpServer
from tests.support.honest_login import BareDriver, HonestDriver, HonestLogin

RULES = {check.rule.id: check for check in CHECKS}


def context_of(driver: BareDriver, profile: str = "rfc6238", progress: Progress | None = None) -> Context:
    """Return a context on a frozen clock, which the login follows."""
    driver.clock = FrozenClock("2024-01-15T10:30:00Z", None)
    driver.server = TotpServer(clock=driver.clock)
    driver.login.now = driver.clock.time
    return Context(driver, profile_of(profile), progress)


def driver_of(login: type[HonestLogin], driver: type[BareDriver] = HonestDriver) -> BareDriver:
    """Return a driver of a login."""
    return type("Driver", (driver,), {"login_class": login})()


def judged(
    id_: str, login: type[HonestLogin] = HonestLogin, driver: type[BareDriver] = HonestDriver, profile: str = "rfc6238"
) -> tuple[Verdict, str]:
    """Return what comes of a rule on a login, and why."""
    context = context_of(driver_of(login, driver), profile)
    assert problem_of(context) is None
    context.driver._parameters = context.progress.parameters
    return verdict_of(RULES[id_], context)
