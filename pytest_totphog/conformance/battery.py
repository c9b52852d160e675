"""The battery: one test for each rule, on the login of a driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any, ClassVar, Final

import pytest

from pytest_totphog.conformance.check import Check
from pytest_totphog.conformance.context import Context
from pytest_totphog.conformance.control import problem_of
from pytest_totphog.conformance.driver import LoginDriver
from pytest_totphog.conformance.estimate import estimate
from pytest_totphog.conformance.finding import Broken, Finding, NotJudged, Rule, Verdict
from pytest_totphog.conformance.profiles import Profile, profile_of
from pytest_totphog.conformance.progress import Progress
from pytest_totphog.conformance.rules import CHECKS
from pytest_totphog.conformance.subjects import record
from pytest_totphog.servers.totp_server import TotpServer
from pytest_totphog.session import Session
from pytest_totphog.settings import call_or_fail, flag, option, setting

__all__ = ["TotpConformance", "totp_profile", "verdict_of"]

# Between two rules on a frozen clock, so that what one did to this address is over for the next.
REST: Final = 3600

_progress_key = pytest.StashKey[dict[tuple[str, str], Progress]]()


def totp_profile(name: str) -> pytest.MarkDecorator:
    """Judge a test class by a profile: `"rfc6238"`, `"nist-800-63b"` or `"asvs-5-l2"`."""
    return pytest.mark.totp_profile(name)


class TotpConformance:
    """The battery on one login; subclass it as `class TestOurLogin(TotpConformance)`.

    Attributes:
        driver: the driver's class; override the fixture `login_driver` where it takes arguments.
        waive: reasons why rules may be broken, by their ids.
        live: whether the login runs on a clock of its own, which cannot be frozen.
    """

    driver: ClassVar[type[LoginDriver] | None] = None
    waive: ClassVar[Mapping[str, str]] = {}
    live: ClassVar[bool] = False

    @pytest.fixture
    def login_driver(self, request: pytest.FixtureRequest) -> LoginDriver:
        """The driver of the login that is judged; override it where `driver` takes arguments or needs fixtures."""
        if self.driver is None:
            pytest.fail(
                f"{type(self).__name__} has no driver; write `driver = OurLogin`, a subclass of LoginDriver, or a "
                "fixture login_driver that returns one",
                pytrace=False,
            )
        if self.live and (driver := _progress(request).driver) is not None:
            return driver
        return self.driver()

    @pytest.fixture
    def totp_context(
        self, request: pytest.FixtureRequest, login_driver: LoginDriver, totp_server: TotpServer
    ) -> Iterator[Context]:
        """What a rule is given: the login as the driver reaches it, behind the control checks."""
        progress = _progress(request)
        request.addfinalizer(login_driver.finish)  # noqa: PT021 # also where the control checks end the test
        if not self.live:
            clock = request.getfixturevalue("frozen_clock")
            if progress.resume_at is not None:
                clock.move_to(progress.resume_at + REST)
        if login_driver is not progress.driver:
            progress.accounts, progress.only = [], None
        progress.driver = login_driver
        login_driver.clock, login_driver.server = totp_server.clock, totp_server
        login_driver._parameters = progress.parameters  # noqa: SLF001 # found by the control checks, for its codes
        context = Context(login_driver, _profile(request), progress, Session.of(request.config).recorder.wait)
        _control(context, request)
        _prepare(context, request, live=self.live)
        context.evidence = type(context.evidence)()
        yield context
        progress.resume_at = totp_server.clock.time()


def judge(check: Check, context: Context, request: pytest.FixtureRequest) -> None:
    """Judge by one rule, keep the finding for the reports, and end the test accordingly."""
    test_class = request.cls
    waived = _waiver(test_class, check.rule)
    rule = context.profile.stated(check.rule)
    verdict, summary = verdict_of(check, context, lock=not test_class.live or _throttle_allowed(request.config))
    if verdict is Verdict.FAILED and waived:
        verdict, summary = Verdict.WAIVED, f"{waived} ({summary})"
    finding = Finding(rule, verdict, summary, context.evidence.lines(), context.profile.name)
    record(request.node, finding)
    record(request.node, context.progress.measured)
    if verdict is Verdict.SKIPPED:
        pytest.skip(f"{rule.id}: {summary}")
    if verdict is Verdict.WAIVED:
        pytest.xfail(f"{rule.id} is waived: {summary}")
    if verdict is Verdict.FAILED:
        pytest.fail(_described(finding), pytrace=False)


def verdict_of(check: Check, context: Context, *, lock: bool = True) -> tuple[Verdict, str]:
    """Return what comes of a rule, and why in a sentence.

    Args:
        check: the rule.
        context: the login.
        lock: whether rules that lock accounts may be judged.
    """
    missing = [method for method in check.rule.needs if not context.driver.can(method)]
    if missing == ["concurrent"]:
        return Verdict.SKIPPED, "the driver's attempts cannot be submitted from several threads (concurrent = False)"
    if missing:
        methods = ", ".join(f"{method}()" for method in missing if method != "concurrent")
        return Verdict.SKIPPED, f"the driver has no {methods}"
    if check.rule.throttle and not lock:
        return Verdict.SKIPPED, "it locks accounts on the live target; allow it with --totphog-throttle"
    try:
        verdict, summary = Verdict.PASSED, check.judge(context)
    except Broken as broken:
        verdict, summary = Verdict.FAILED, str(broken)
    except NotJudged as reason:
        return Verdict.SKIPPED, f"not judged: {reason}"
    context.progress.kept[check.rule.id] = verdict is Verdict.PASSED
    return verdict, summary


def _described(finding: Finding) -> str:
    rule = finding.rule
    return "\n".join(
        [
            f"{rule.id}: {finding.summary}",
            "",
            f"{rule.title} ({rule.level.value}, {rule.source}, {rule.section}; profile {finding.profile})",
            *(f"  {line}".rstrip() for line in rule.explanation.splitlines()),
            "",
            *(f"  - {line}" for line in finding.evidence),
            "",
            *([f"Others had it too: {', '.join(rule.cves)}."] if rule.cves else []),
            f"To let it be, give a reason: waive = {{{rule.id!r}: '…'}}",
        ]
    )


def _control(context: Context, request: pytest.FixtureRequest) -> None:
    """Let every test fail whose driver has a mistake in it; the first one tells it in full."""
    progress, name = context.progress, request.cls.__name__
    evidence = ""
    if not progress.checked:
        progress.checked = True
        # Unless it comes to an answer.
        progress.problem = "the control checks ended in an error, see the first test"
        try:
            progress.problem = problem_of(context)
        finally:
            if progress.problem is not None:
                record(request.node, progress.problem)
        evidence = "\n  - ".join((f"\n\nThe control checks of {name}:", *context.evidence.lines()))
    if progress.problem is not None:
        pytest.fail(f"no rule is judged: {progress.problem}{evidence}", pytrace=False)


def _prepare(context: Context, request: pytest.FixtureRequest, *, live: bool) -> None:
    """Say how long it takes, and on a live clock enrol accounts for all rules up front, so that they wait together."""
    progress = context.progress
    if progress.prepared:
        return
    progress.prepared = True
    checks = [
        check
        for item in request.session.items
        if getattr(item, "cls", None) is request.cls
        and (check := getattr(getattr(item, "function", None), "check", None)) is not None
        and all(context.driver.can(method) for method in check.rule.needs)
        and (not live or not check.rule.throttle or _throttle_allowed(request.config))
    ]
    steps = 1 + sum(check.waits for check in checks) if live else 0
    _tell(request.config, f"{request.cls.__name__}: {estimate(checks, progress, steps)}")
    if live and context.driver.can("new_account"):
        accounts = sum(check.accounts for check in checks)
        progress.accounts = [context.enrol(context.driver.new_account()) for _ in range(accounts)]


def _tell(config: pytest.Config, line: str) -> None:
    """Write a line to the terminal in the middle of a test."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    if reporter is not None:
        with nullcontext() if capture is None else capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(line)


def _progress(request: pytest.FixtureRequest) -> Progress:
    # A class that runs once for each of some parameters stands for as many logins.
    parameters = request.node.callspec.id if hasattr(request.node, "callspec") else ""
    logins = request.config.stash.setdefault(_progress_key, {})
    return logins.setdefault((request.node.parent.nodeid, parameters), Progress())


def _profile(request: pytest.FixtureRequest) -> Profile:
    source, names = setting(request.config, "profile"), [option(request.config, "profile")]
    marker = request.node.get_closest_marker("totp_profile")
    if marker is not None:
        source, names = "@pytest.mark.totp_profile", [*marker.args, *marker.kwargs.values()]
    if len(names) != 1:
        pytest.fail(f"{source} takes the name of one profile", pytrace=False)
    profile: Profile = call_or_fail(source, profile_of, names[0])
    return profile


def _waiver(test_class: type[TotpConformance], rule: Rule) -> str:
    known = {check.rule.id for check in CHECKS}
    for id_, reason in test_class.waive.items():
        if id_ not in known:
            pytest.fail(f"{test_class.__name__}.waive names {id_!r}; accepted are V1 to V{len(known)}", pytrace=False)
        if not isinstance(reason, str) or not reason.strip():
            pytest.fail(f"{test_class.__name__}.waive[{id_!r}] gives no reason; write one", pytrace=False)
    return test_class.waive.get(rule.id, "")


def _throttle_allowed(config: pytest.Config) -> bool:
    return bool(config.getoption("totphog_throttle") or flag(config, "totphog_throttle"))


def _test(check: Check) -> Callable[[Any, pytest.FixtureRequest, Context], None]:
    def test(self: TotpConformance, request: pytest.FixtureRequest, totp_context: Context) -> None:  # noqa: ARG001
        __tracebackhide__ = True
        judge(check, totp_context, request)

    test.__name__ = check.name
    test.__qualname__ = f"TotpConformance.{check.name}"
    test.__doc__ = f"{check.rule.id} {check.rule.title}.\n\n{check.rule.explanation}"
    test.check = check  # type: ignore[attr-defined] # for the estimate
    return test


# Last, so that they run in the order of the rules.
for _check in CHECKS:
    setattr(TotpConformance, _check.name, _test(_check))
