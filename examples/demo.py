"""Runs every example for real and prints what happened: `make demo`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = {
    "flask_login": "A Flask app with a password and TOTP, tested with requests, in a browser, and on frozen time",
    "django_live_server": "A Django project with django-otp behind live_server, over HTTP and in a browser",
    "django_unittest": "Thirty tests of Django's own TestCase, which run under manage.py test as well",
    "practice_backends": "The four practice backends, one user story each",
    "other_process": "An Express app in a process of its own that follows the tests' clock",
    "xdist_shared_account": "Twenty logins of one account in four workers, each code accepted once",
}


def main() -> int:
    """Run the examples and return how many failed."""
    failed = 0
    for folder, sentence in EXAMPLES.items():
        print(f"\n{'=' * 100}\n{sentence}  (examples/{folder})\n{'=' * 100}", flush=True)
        command = [sys.executable, "-m", "pytest", "-v", "-s", "--no-header", "-p", "no:cacheprovider"]
        failed += subprocess.run(command, cwd=Path(__file__).parent / folder, check=False).returncode != 0
    print(f"\n{len(EXAMPLES) - failed} of {len(EXAMPLES)} examples passed.")
    return failed


if __name__ == "__main__":
    sys.exit(main())
