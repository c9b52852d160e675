"""Where the sources of rules, and advisories, can be read."""

from __future__ import annotations

import re
from typing import Final

from pytest_totphog.conformance.finding import Rule

__all__ = ["advisory_url", "citation", "source_url"]

_ASVS: Final = "https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en"

# By how a source and its section begin.
_SOURCES: Final = {
    "RFC 6238": "https://www.rfc-editor.org/rfc/rfc6238",
    "RFC 4226": "https://www.rfc-editor.org/rfc/rfc4226",
    "NIST SP 800-63B-4": "https://pages.nist.gov/800-63-4/sp800-63b.html",
    "OWASP ASVS 5.0.0 6.": f"{_ASVS}/0x15-V6-Authentication.md",
    "OWASP ASVS 5.0.0 7.": f"{_ASVS}/0x16-V7-Session-Management.md",
    "OWASP WSTG": (
        "https://owasp.org/www-project-web-security-testing-guide/latest/4-Web_Application_Security_Testing"
        "/04-Authentication_Testing/11-Testing_Multi-Factor_Authentication"
    ),
}


def citation(rule: Rule) -> str:
    """Return a rule's source with its section: `"RFC 6238 §5.2"`."""
    if rule.section[:1].isdigit():
        return f"{rule.source} §{rule.section}"
    # "OWASP WSTG" and "WSTG-ATHN-11".
    return f"{rule.source} {rule.section.removeprefix('WSTG-')}".strip()


def source_url(rule: Rule) -> str | None:
    """Return where a rule's source stands in the web, at the section where the page has marks; None if unknown."""
    for beginning, url in _SOURCES.items():
        if f"{rule.source} {rule.section}".startswith(beginning):
            section = re.match(r"\d+(\.\d+)*", rule.section)
            return f"{url}#section-{section[0]}" if section and beginning.startswith("RFC") else url
    return None


def advisory_url(cve: str) -> str:
    """Return where a CVE record stands in the web."""
    return f"https://www.cve.org/CVERecord?id={cve}"
