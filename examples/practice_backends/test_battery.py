"""The battery against two of the practice backends, as a team points it at its own login."""

from login_drivers import LoginDemoDriver, SimpleDriver

from pytest_totphog.conformance import TotpConformance


class TestLoginDemo(TotpConformance):
    driver = LoginDemoDriver


class TestSimple(TotpConformance):
    driver = SimpleDriver


class PatientDriver(SimpleDriver):
    flaws = frozenset({"wide-window"})


class TestPatient(TotpConformance):
    driver = PatientDriver
    waive = {"V6": "the clocks of our users' phones are up to two minutes wrong"}
