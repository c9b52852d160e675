"""Where sources and advisories can be read."""

import pytest

from pytest_totphog.conformance.finding import Level, Rule
from pytest_totphog.conformance.profiles import PROFILES, Profile
from pytest_totphog.conformance.rules import CHECKS
from pytest_totphog.report.links import advisory_url, citation, source_url


def rule(source: str, section: str) -> Rule:
    """Return a rule of a source."""
    return Rule("V1", "A code is accepted once", Level.MUST, source, section, "")


@pytest.mark.parametrize(
    ("source", "section", "cited", "url"),
    [
        ("RFC 6238", "5.2", "RFC 6238 §5.2", "https://www.rfc-editor.org/rfc/rfc6238#section-5.2"),
        ("RFC 4226", "4 (R6)", "RFC 4226 §4 (R6)", "https://www.rfc-editor.org/rfc/rfc4226#section-4"),
        ("RFC 6238", "", "RFC 6238", "https://www.rfc-editor.org/rfc/rfc6238"),
        (
            "NIST SP 800-63B-4",
            "3.1.4.2",
            "NIST SP 800-63B-4 §3.1.4.2",
            "https://pages.nist.gov/800-63-4/sp800-63b.html",
        ),
        (
            "OWASP ASVS 5.0.0",
            "6.5.1",
            "OWASP ASVS 5.0.0 §6.5.1",
            "https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x15-V6-Authentication.md",
        ),
        (
            "OWASP ASVS 5.0.0",
            "7.5.1",
            "OWASP ASVS 5.0.0 §7.5.1",
            "https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x16-V7-Session-Management.md",
        ),
        (
            "OWASP WSTG",
            "WSTG-ATHN-11",
            "OWASP WSTG ATHN-11",
            (
                "https://owasp.org/www-project-web-security-testing-guide/latest/4-Web_Application_Security_Testing"
                "/04-Authentication_Testing/11-Testing_Multi-Factor_Authentication"
            ),
        ),
        ("our handbook", "7", "our handbook §7", None),
    ],
)
def test_source(source: str, section: str, cited: str, url: str | None) -> None:
    """Each source that rules have is cited with its section, and linked where it is public."""
    assert citation(rule(source, section)) == cited
    assert source_url(rule(source, section)) == url


def test_advisory() -> None:
    """Advisories are at cve.org."""
    assert advisory_url("CVE-2022-25838") == "https://www.cve.org/CVERecord?id=CVE-2022-25838"


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_every_rule(profile: Profile) -> None:
    """Every rule's source is public, by whichever profile it is judged."""
    stated = [profile.stated(check.rule) for check in CHECKS]
    assert [citation(rule) for rule in stated if source_url(rule) is None] == []
