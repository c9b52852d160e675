"""Run the battery on the three products, and write down what it finds: `python results.py`.

Writes `results.json`, with which `test_results.py` compares later runs, and the tables in `docs/battery-results.md`.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parents[1] / "docs" / "battery-results.md"

# Each product's folder, and the packages whose versions matter.
PRODUCTS = {
    "django-allauth": ("django_allauth", ["django-allauth", "Django"]),
    "django-two-factor-auth": ("django_two_factor_auth", ["django-two-factor-auth", "django-otp", "Django"]),
    "Flask-Security-Too": ("flask_security_too", ["Flask-Security-Too", "libpass", "Flask"]),
}
# What the rules on races find is reported to a product's makers, and published after them: see SECURITY.md.
WITHHELD = ("V4", "V22")
MEASURED = ("earliest", "latest", "failures_before_throttle")
SIGNS = {"passed": "✓", "failed": "**✗**", "skipped": "·"}
NAMES = {"passed": "passed", "failed": "failed", "skipped": "not judged"}


def run(product: str) -> dict[str, Any]:
    """Run the battery on one product, in a process of its own, and return what it found."""
    folder, packages = PRODUCTS[product]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    with tempfile.TemporaryDirectory() as temporary:
        report = Path(temporary) / "report.json"
        command = [sys.executable, "-m", "pytest", folder, "-q", "-p", "no:cacheprovider", f"--totphog-report={report}"]
        done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, check=False)
        if done.returncode > 1:
            raise RuntimeError(f"the battery did not run on {product}:\n{done.stdout}{done.stderr}")
        (subject,) = json.loads(report.read_text("utf-8"))["battery"]["subjects"]
    if subject["problem"] or subject["not_run"]:
        raise RuntimeError(f"the battery did not come to an end on {product}:\n{done.stdout}")
    return {
        "versions": {"Python": platform.python_version(), **{package: version(package) for package in packages}},
        "measured": {name: subject["measured"][name] for name in MEASURED},
        "findings": {
            finding["rule"]["id"]: {
                "title": finding["rule"]["title"],
                "level": finding["rule"]["level"],
                "source": f"{finding['rule']['source']}, {finding['rule']['section']}",
                "verdict": finding["verdict"],
                "summary": finding["summary"],
            }
            for finding in subject["findings"]
            if finding["rule"]["id"] not in WITHHELD
        },
    }


def table(results: dict[str, Any]) -> str:
    """Return the tables of the page."""
    products = list(results)
    lines = ["| | " + " | ".join(products) + " |", "|---|" + "---|" * len(products)]

    def row(title: str, *cells: object) -> None:
        lines.append(f"| {title} | " + " | ".join(map(str, cells)) + " |")

    row("run with", *(_versions(results[product]["versions"]) for product in products))
    row("accepted window", *(_window(results[product]["measured"]) for product in products))
    row("wrong codes until the throttle", *(_throttle(results[product]["measured"]) for product in products))
    for verdict, sign in SIGNS.items():
        row(f"{sign} {NAMES[verdict]}", *(_count(results[product]["findings"], verdict) for product in products))
    lines += ["", "| Rule | Level | " + " | ".join(products) + " |", "|---|---|" + "---|" * len(products)]
    for rule, first in results[products[0]]["findings"].items():
        signs = (SIGNS[results[product]["findings"][rule]["verdict"]] for product in products)
        row(f"{rule} {first['title']}", first["level"], *signs)
    lines += ["", "| Product | Rule that failed | What was seen |", "|---|---|---|"]
    for product in products:
        for rule, finding in results[product]["findings"].items():
            if finding["verdict"] == "failed":
                row(product, f"{rule} ({finding['source']})", finding["summary"])
    return "\n".join(lines)


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{package} {number}" for package, number in versions.items())


def _window(measured: dict[str, Any]) -> str:
    if measured["earliest"] == measured["latest"] == 0:
        return "the current step"
    return f"steps {measured['earliest']:+d} to {measured['latest']:+d}"


def _throttle(measured: dict[str, Any]) -> str:
    failures = measured["failures_before_throttle"]
    return "none within 100" if failures is None else str(failures)


def _count(findings: dict[str, Any], verdict: str) -> int:
    return sum(finding["verdict"] == verdict for finding in findings.values())


def main() -> None:
    """Run all, and write the file and the page."""
    results = {}
    for product in PRODUCTS:
        results[product] = run(product)
        print(product, *(f"{_count(results[product]['findings'], verdict)} {verdict}" for verdict in SIGNS), sep="  ")
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", "utf-8")
    before, begin, rest = PAGE.read_text("utf-8").partition(
        "<!-- results: written by examples/battery/results.py -->\n"
    )
    _, end, after = rest.partition("<!-- end of the results -->\n")
    PAGE.write_text(f"{before}{begin}\n{table(results)}\n\n{end}{after}", "utf-8")


if __name__ == "__main__":
    main()
