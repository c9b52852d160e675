"""The battery's report as an HTML page: one file, no script, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from pytest_totphog.conformance.finding import Measured, Rule, Verdict
from pytest_totphog.conformance.odds import HORIZONS, RATE, Odds, percent, sentence
from pytest_totphog.conformance.subjects import Subject
from pytest_totphog.errors import plural
from pytest_totphog.failures.failure import Failure
from pytest_totphog.failures.html import markup
from pytest_totphog.report import wording
from pytest_totphog.report.links import advisory_url, citation, source_url
from pytest_totphog.version import __version__

__all__ = ["render"]

_RATES: Final = (1, RATE, 100)


def render(subjects: Sequence[Subject], created_at: datetime, failures: Sequence[Failure] = ()) -> str:
    """Return the page.

    Its own Content-Security-Policy forbids everything but its style sheet. A server with a stricter one, which
    forbids that as well, shows the same text unstyled.
    """
    folder = files(__package__)
    style = folder.joinpath("page.css").read_text("utf-8")
    only_tests = bool(failures) and not subjects
    heading = "TOTP in failed tests" if only_tests else "TOTP battery"
    headline = plural(len(failures), "failed test") if only_tests else wording.headline(subjects)
    return Template(folder.joinpath("page.html").read_text("utf-8")).substitute(
        title=_text(f"{heading}: {headline}"),
        heading=heading,
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        headline=_text(headline),
        meta=_text(f"pytest-totphog {__version__}, {created_at:%d %B %Y, %H:%M} UTC"),
        overview=_overview(subjects) if len(subjects) > 1 else "",
        subjects="\n".join(_subject(subject, f"login-{number}") for number, subject in enumerate(subjects, 1)),
        tests=_tests(failures),
        hidden=" hidden" if only_tests else "",
    )


def _tests(failures: Sequence[Failure]) -> str:
    """Return what the failed tests took, and what may be the cause."""
    if not failures:
        return ""
    tests = "\n".join(f"<h3><code>{_text(failure.test)}</code></h3>{markup(failure)}" for failure in failures)
    return f'<section aria-labelledby="tests">\n<h2 id="tests">Failed tests</h2>\n{tests}\n</section>'


def _overview(subjects: Sequence[Subject]) -> str:
    """Return the list of all logins."""
    rows = "\n".join(
        f'<li><a href="#login-{number}">{_text(subject.title)}</a>{_counts(subject)}</li>'
        for number, subject in enumerate(subjects, 1)
    )
    return f'<nav aria-label="Logins"><ul class="logins">\n{rows}\n</ul></nav>'


def _subject(subject: Subject, anchor: str) -> str:
    profile = f"; judged by the profile <code>{_text(subject.profile)}</code>" if subject.profile else ""
    parts = [
        f'<h2 id="{anchor}">{_text(subject.title)}</h2>',
        f'<p class="where"><code>{_text(subject.file)}</code>, line {subject.line}{profile}</p>',
        _counts(subject),
    ]
    if subject.problem:
        parts.append(f'<p class="problem">No rule was judged: {_text(subject.problem)}</p>')
    if subject.findings:
        parts.append(_facts(subject))
        parts += [_rules(subject, name) for name, count in subject.counts().items() if count]
    return "\n".join([f'<section aria-labelledby="{anchor}">', *parts, "</section>"])


def _counts(subject: Subject) -> str:
    badges = "".join(f"<li>{_badge(name, f'{count} {name}')}</li>" for name, count in subject.counts().items() if count)
    return f'<ul class="counts">{badges}</ul>'


def _facts(subject: Subject) -> str:
    """Return what was measured, and what it means."""
    measured = subject.measured
    return (
        '<div class="facts">\n'
        f'<div class="fact"><h3>Accepted window</h3><p>{_sentence(wording.window(measured))}</p>{_steps(measured)}\n'
        f"<h3>Throttle</h3><p>{_sentence(wording.throttle(subject))}</p></div>\n"
        f'<div class="fact"><h3>Odds of a guesser</h3><p>{_text(sentence(subject.met))}</p>{_odds(subject.met)}</div>\n'
        "</div>"
    )


def _steps(measured: Measured) -> str:
    """Return a picture of the time steps around the current one, those marked whose codes are accepted."""
    if measured.earliest is None or measured.latest is None:
        return ""
    first, last = min(-10, measured.earliest), max(10, measured.latest)
    cells = "".join(
        f'<rect x="{20 * (step - first) + 1}" y="1" width="18" height="18" rx="3" '
        + (
            'class="in"/>'
            if measured.earliest <= step <= measured.latest
            else 'class="out" fill="none" stroke="gray"/>'
        )
        for step in range(first, last + 1)
    )
    labels = "".join(
        f'<text x="{20 * (step - first) + 10}" y="31">{wording.step(step)}</text>'
        for step in sorted({first, measured.earliest, 0, measured.latest, last})
    )
    width = 20 * (last - first + 1) + 16
    # The attributes that the style sheet overrules are for servers that forbid it.
    return (
        f'<svg class="steps" viewBox="-8 0 {width} 36" width="{width}" height="36" font-size="11" text-anchor="middle" '
        'role="img" '
        f'aria-label="Time steps {first} to {last}; accepted are {measured.earliest} to {measured.latest}">'
        f"{cells}{labels}</svg>"
    )


def _odds(measured: Measured) -> str:
    """Return the chances at several rates."""
    if not Odds.of(measured):
        return ""
    head = "".join(f'<th scope="col">{words}</th>' for _, words in HORIZONS)
    rows = "".join(
        f'<tr><th scope="row">{rate} a second</th>'
        + "".join(f"<td>{_text(percent(odds.chance))}</td>" for odds in Odds.of(measured, rate))
        + "</tr>"
        for rate in _RATES
    )
    return (
        f'<table class="odds"><thead><tr><th scope="col">Guesses</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _rules(subject: Subject, name: str) -> str:
    """Return the table of the rules with a verdict, or without one."""
    if name == "not run":
        rows = [_row(name, rule) for rule in subject.not_run]
    else:
        findings = subject.with_verdict(Verdict(name))
        rows = [_row(name, finding.rule, finding.summary, finding.evidence) for finding in findings]
    body = "\n".join(rows)
    return (
        f"<h3>{name.capitalize()}</h3>\n"
        '<table class="rules"><thead><tr><th scope="col">Rule</th><th scope="col">Verdict</th>'
        f'<th scope="col">Finding</th></tr></thead>\n<tbody>\n{body}\n</tbody></table>'
    )


def _row(name: str, rule: Rule, summary: str = "", evidence: Sequence[str] = ()) -> str:
    url = source_url(rule)
    source = _text(citation(rule))
    where = [f'<a href="{_text(url)}">{source}</a>' if url else source]
    where += [f'<a href="{_text(advisory_url(cve))}">{_text(cve)}</a>' for cve in rule.cves]
    lines = "".join(f"<li>{_text(line)}</li>" for line in evidence)
    about = "".join(f"<p>{_text(' '.join(text.split()))}</p>" for text in rule.explanation.split("\n\n"))
    return (
        f'<tr><th scope="row">{_text(rule.id)}</th>'
        f'<td>{_badge(name, name)}<span class="level">{rule.level.value}</span></td>'
        f'<td><p class="title">{_text(rule.title)}</p>'
        + (f"<p>{_sentence(summary)}</p>" if summary else "")
        + f'<p class="where">{", ".join(where)}</p>'
        f"<details{' open' if name == 'failed' else ''}><summary>Details of {_text(rule.id)}</summary>"
        + (f"<ul>{lines}</ul>" if lines else "")
        + f"{about}</details></td></tr>"
    )


def _badge(name: str, text: str) -> str:
    return f'<span class="badge {name.replace(" ", "-")}">{text}</span>'


def _sentence(text: str) -> str:
    return _text(wording.as_sentence(text))


def _text(text: str) -> str:
    """Return a text as HTML, in an element or a quoted attribute."""
    return escape(wording.printable(text)).replace(" %", "&nbsp;%")
