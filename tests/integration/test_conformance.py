"""The battery as users run it: a driver, a test class, and what pytest shows."""

import re
from pathlib import Path

import pytest

HONEST_LOGIN = (Path(__file__).parents[1] / "support" / "honest_login.py").read_text("utf-8")

IMPORTS = """
    import pytest
    from honest_login import BareDriver, HonestDriver, HonestLogin, Outcome
    from pytest_totphog.conformance import LoginDriver, TotpConformance, totp_profile

    class Forgetful(HonestLogin):
        def spend(self, user, step):
            return True

    class ForgetfulDriver(HonestDriver):
        login_class = Forgetful
"""


@pytest.fixture
def shop(project: pytest.Pytester) -> pytest.Pytester:
    """A project with a login that does everything right, and a driver for it."""
    project.makepyfile(honest_login=HONEST_LOGIN)
    return project


def test_honest_login(shop: pytest.Pytester) -> None:
    """A test for each rule, all of which pass but those that the driver lacks a method for."""
    shop.makepyfile(
        IMPORTS
        + """
    class TestShop(TotpConformance):
        driver = HonestDriver
    """
    )
    result = shop.runpytest("-v", "-rs")
    result.assert_outcomes(passed=31, skipped=3)
    result.stdout.fnmatch_lines(
        [
            "*::TestShop::test_V1_single_use PASSED*",
            "*::TestShop::test_V26_reset_keeps_the_factor PASSED*",
            "*::TestShop::test_V28_throttled PASSED*",
        ]
    )
    # Before the first rule, from what the control checks took.
    result.stdout.fnmatch_lines(["TestShop: 32 rules, about * second*", "*::TestShop::test_V1_single_use PASSED*"])
    result.stdout.fnmatch_lines_random(
        [
            "SKIPPED * V30: the driver has no change_address()",
            "SKIPPED * V31: the driver has no rewind()",
            "SKIPPED * V27: not judged: the driver records no responses: its `responses` is None",
        ]
    )


def test_bare_driver(shop: pytest.Pytester) -> None:
    """Three methods are enough for the rules on codes; what the others lack is named."""
    shop.makepyfile(
        IMPORTS
        + """
    class TestShop(TotpConformance):
        driver = BareDriver
    """
    )
    result = shop.runpytest("-rs")
    result.assert_outcomes(passed=13, skipped=21)
    result.stdout.fnmatch_lines_random(
        [
            "SKIPPED * V5: the driver has no disable()",
            "SKIPPED * V16: the driver has no new_account(), begin_enrolment(), confirm_enrolment()",
            "SKIPPED * V28: the driver has no new_account()",
        ]
    )


def test_failure(shop: pytest.Pytester) -> None:
    """It says what was found, what was done and why, what was seen, and how to waive it."""
    shop.makepyfile(
        IMPORTS
        + """
    class TestShop(TotpConformance):
        driver = ForgetfulDriver
    """
    )
    result = shop.runpytest("-k", "V1_")
    result.assert_outcomes(failed=1, deselected=33)
    result.stdout.fnmatch_lines(
        [
            "V1: a code that had been accepted was accepted again",
            "A code is accepted once (MUST, RFC 6238, 5.2; profile rfc6238)",
            "  A right code is sent, and sent again at once in a new session.",
            "  - a right code: accepted",
            "  - the same code again: accepted",
            "  - accounts enrolled: 1, logins begun: 2, codes sent: 2",
            "Others had it too: CVE-2022-25838, CVE-2025-69197, CVE-2026-82470.",
            "To let it be, give a reason: waive = {'V1': '…'}",
            "FAILED *::TestShop::test_V1_single_use - Failed: V1: a code tha*",
        ],
        consecutive=False,
    )
    assert re.findall(r"(?<!\d)\d{6}(?!\d)", result.stdout.str()) == []


def test_waived(shop: pytest.Pytester) -> None:
    """A rule that is broken with a reason is an expected failure; one that is kept after all is passed."""
    shop.makepyfile(
        IMPORTS
        + """
    class TestShop(TotpConformance):
        driver = ForgetfulDriver
        waive = {"V1": "Ticket 17: until the spring release.", "V7": "Not needed any more."}
    """
    )
    result = shop.runpytest("-k", "V1_ or V7_", "-rx")
    result.assert_outcomes(xfailed=1, passed=1, deselected=32)
    reason = "Ticket 17: until the spring release. (a code that had been accepted was accepted again)"
    result.stdout.fnmatch_lines([f"XFAIL *test_V1_single_use - V1 is waived: {reason}"])


@pytest.mark.parametrize(
    ("waive", "mistake"),
    [
        ('{"V99": "why not"}', "TestShop.waive names 'V99'; accepted are V1 to V34"),
        ('{"V1": " "}', "TestShop.waive['V1'] gives no reason; write one"),
    ],
)
def test_waiver_with_a_mistake(shop: pytest.Pytester, waive: str, mistake: str) -> None:
    """A rule that there is not, and a waiver without a reason, are failures."""
    shop.makepyfile(
        IMPORTS
        + f"""
    class TestShop(TotpConformance):
        driver = HonestDriver
        waive = {waive}
    """
    )
    result = shop.runpytest("-k", "V7_")
    result.assert_outcomes(failed=1, deselected=33)
    result.stdout.fnmatch_lines([mistake])


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ("return Outcome.ACCEPTED", "Wrong.submit() says ACCEPTED for a wrong code too: *"),
        (
            "return Outcome.REFUSED if outcome is Outcome.ACCEPTED else Outcome.ACCEPTED",
            "Wrong.submit() says ACCEPTED for a wrong code and REFUSED for a right one: it takes success for failure",
        ),
        ("return Outcome.REFUSED", "Wrong.submit() says REFUSED for a right code too: *"),
    ],
)
def test_driver_with_a_mistake(shop: pytest.Pytester, mistake: str, told: str) -> None:
    """It is found out before any rule is judged; every rule is an error, and the cause is told in full once."""
    shop.makepyfile(
        IMPORTS
        + f"""
    class Wrong(HonestDriver):
        def submit(self, attempt, code):
            outcome = super().submit(attempt, code)
            {mistake}

    class TestShop(TotpConformance):
        driver = Wrong
    """
    )
    # Under CI pytest's short summary repeats every message in full.
    result = shop.runpytest("-rN")
    result.assert_outcomes(errors=34)
    evidence = ("The control checks of TestShop:", "  - a right code: *")
    result.stdout.fnmatch_lines([f"no rule is judged: {told}", *evidence])
    assert result.stdout.str().count("The control checks of TestShop:") == 1


def test_error_shows_no_secret(shop: pytest.Pytester) -> None:
    """What an enrolment showed is not shown again when it is no secret at all; nor is a code with an odd answer."""
    shop.makepyfile(
        IMPORTS
        + """
    class Torn(HonestDriver):
        def enroll(self, account):
            return "JBSWY3DPEHPK3PX1"

    class TestTorn(TotpConformance):
        driver = Torn

    class Odd(HonestDriver):
        def submit(self, attempt, code):
            return super().submit(attempt, code) is Outcome.ACCEPTED

    class TestOdd(TotpConformance):
        driver = Odd
    """
    )
    result = shop.runpytest("-k", "V1_ or V2_")
    result.assert_outcomes(errors=4, deselected=64)
    result.stdout.fnmatch_lines(
        [
            "no rule is judged: Torn: the secret is not base32: character 16 is '1'; *",
            "no rule is judged: Odd: a code was answered with True; accepted are Outcome.ACCEPTED, *",
        ]
    )
    assert "JBSWY3DP" not in result.stdout.str()
    assert re.findall(r"(?<![\w.])\d{6}(?![\w.])", result.stdout.str()) == []


def test_no_driver(shop: pytest.Pytester) -> None:
    """It is asked for."""
    shop.makepyfile(
        IMPORTS
        + """
    class TestShop(TotpConformance):
        pass
    """
    )
    result = shop.runpytest("-k", "V1_")
    result.assert_outcomes(errors=1, deselected=33)
    result.stdout.fnmatch_lines(["TestShop has no driver; write `driver = OurLogin`, a subclass of LoginDriver, *"])


def test_driver_fixture(shop: pytest.Pytester) -> None:
    """A driver that needs something gets it from a fixture, and other tests may use it as well."""
    shop.makepyfile(
        IMPORTS
        + """
    class NamedDriver(HonestDriver):
        def __init__(self, name):
            super().__init__()
            self.name = name

    class TestShop(TotpConformance):
        @pytest.fixture
        def login_driver(self, tmp_path):
            return NamedDriver(tmp_path.name)

        def test_more(self, login_driver):
            assert login_driver.name.startswith("test_more")
    """
    )
    shop.runpytest("-k", "V1_ or more").assert_outcomes(passed=2, deselected=33)


def test_base_class_is_no_test(shop: pytest.Pytester) -> None:
    """Importing it into a test file collects nothing."""
    shop.makepyfile(IMPORTS)
    assert shop.runpytest().ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize(
    ("decorator", "options", "ini", "outcome"),
    [
        ("", [], "", {"passed": 1}),
        ("@totp_profile('asvs-5-l2')", [], "", {"failed": 1}),
        ("@pytest.mark.totp_profile('asvs-5-l2')", [], "", {"failed": 1}),
        ("", ["--totphog-profile=asvs-5-l2"], "", {"failed": 1}),
        ("", [], "totphog_profile = asvs-5-l2", {"failed": 1}),
        ("@totp_profile('rfc6238')", ["--totphog-profile=asvs-5-l2"], "", {"passed": 1}),
        ("", ["--totphog-profile=rfc6238"], "totphog_profile = asvs-5-l2", {"passed": 1}),
    ],
)
def test_profile(shop: pytest.Pytester, decorator: str, options: list[str], ini: str, outcome: dict[str, int]) -> None:
    """The decorator wins over the option, and the option over the ini file."""
    shop.makeini(f"[pytest]\n{ini}")
    shop.makepyfile(
        IMPORTS
        + f"""
    {decorator}
    class TestShop(TotpConformance):
        driver = HonestDriver
    """
    )
    result = shop.runpytest("-k", "V6_", *options)
    result.assert_outcomes(deselected=33, **outcome)
    if "failed" in outcome:
        result.stdout.fnmatch_lines(
            [
                "V6: codes of the steps -1 to +1 are accepted, 90 seconds in all; at most 30 seconds are allowed",
                "A code is accepted for no longer than needed (MUST, OWASP ASVS 5.0.0, 6.5.5; profile asvs-5-l2)",
            ]
        )


@pytest.mark.parametrize("option", ["--totphog-profile=nist", "@pytest.mark.totp_profile"])
def test_unknown_profile(shop: pytest.Pytester, option: str) -> None:
    """The error says where it stands, and what there is."""
    shop.makepyfile(
        IMPORTS
        + f"""
    {"@totp_profile('nist')" if option.startswith("@") else ""}
    class TestShop(TotpConformance):
        driver = HonestDriver
    """
    )
    result = shop.runpytest("-k", "V1_", *([] if option.startswith("@") else [option]))
    if option.startswith("@"):
        result.assert_outcomes(errors=1, deselected=33)
        lines, sentence = result.stdout, "@pytest.mark.totp_profile: the profile is 'nist'"
    else:
        lines, sentence = result.stderr, "ERROR: --totphog-profile is 'nist'"
    lines.fnmatch_lines([f"{sentence}; accepted are rfc6238, nist-800-63b, asvs-5-l2"])


def test_two_logins(shop: pytest.Pytester) -> None:
    """What is known of one says nothing about the other, also where one class stands for both."""
    shop.makepyfile(
        IMPORTS
        + """
    @pytest.mark.parametrize("driver_class", [HonestDriver, ForgetfulDriver])
    class TestShop(TotpConformance):
        @pytest.fixture
        def login_driver(self, driver_class):
            return driver_class()
    """
    )
    shop.runpytest("-k", "V1_").assert_outcomes(passed=1, failed=1, deselected=66)


def test_time_goes_forward(shop: pytest.Pytester) -> None:
    """A login that outlives its tests never sees a time step again; afterwards the clock runs."""
    shop.makepyfile(
        IMPORTS
        + """
    import time

    LOGIN, SEEN = HonestLogin(), []

    class OneLogin(BareDriver):
        def __init__(self):
            self.login = LOGIN

        def submit(self, attempt, code):
            SEEN.append(time.time())
            return super().submit(attempt, code)

    class TestShop(TotpConformance):
        driver = OneLogin

    def test_afterwards():
        assert SEEN == sorted(SEEN)
        assert SEEN[0] < time.time() - 30 * 86400
    """
    )
    shop.runpytest("-k", "V1_ or V2_ or V3_ or afterwards").assert_outcomes(passed=4, deselected=31)


def test_xdist(shop: pytest.Pytester) -> None:
    """The rules may be spread over workers; each makes its own control checks."""
    pytest.importorskip("xdist")
    shop.makepyfile(
        IMPORTS
        + """
    class TestShop(TotpConformance):
        driver = HonestDriver
    """
    )
    result = shop.runpytest_subprocess("-p", "xdist", "-n", "2")
    result.assert_outcomes(passed=31, skipped=3)


LIVE = (
    IMPORTS
    + """
    class QuickLogin(HonestLogin):
        period = 2

    class LiveDriver(HonestDriver):
        login_class = QuickLogin

    class TestShop(TotpConformance):
        driver = LiveDriver
        live = True
    """
)


def test_live_clock(shop: pytest.Pytester) -> None:
    """It says how long it will take, waits where it must, and locks nothing unless it is told to."""
    shop.makepyfile(LIVE)
    result = shop.runpytest("-k", "V1_ or V2_ or V7_ or V10_ or V28_", "-rs")
    result.assert_outcomes(passed=4, skipped=1, deselected=29)
    result.stdout.fnmatch_lines(
        [
            "TestShop: 4 rules on a live clock; time steps waited for: 4, about * seconds",
            "SKIPPED * V28: it locks accounts on the live target; allow it with --totphog-throttle",
        ]
    )
    # The steps that the battery waits for are waiting, too.
    [waited] = re.findall(r"one-time codes, (\d+\.\d) s waited for [3-9] of them", result.stdout.str())
    assert float(waited) >= 3


@pytest.mark.parametrize(("options", "ini"), [(["--totphog-throttle"], ""), ([], "totphog_throttle = true")])
def test_throttle_of_a_live_target(shop: pytest.Pytester, options: list[str], ini: str) -> None:
    """With the option, or the ini value."""
    shop.makeini(f"[pytest]\n{ini}")
    shop.makepyfile(LIVE)
    shop.runpytest("-k", "V28_", *options).assert_outcomes(passed=1, deselected=33)


def test_driver_of_a_live_target_is_one_for_all(shop: pytest.Pytester) -> None:
    """The accounts that were made up front are its accounts."""
    shop.makepyfile(
        LIVE
        + """
        def test_same(self, login_driver):
            assert len(login_driver.login.users) == 3

    """
    )
    shop.runpytest("-k", "V10_ or same").assert_outcomes(passed=2, deselected=33)
