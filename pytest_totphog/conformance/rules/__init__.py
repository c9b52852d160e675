"""The rules, in the order in which they are judged: those that lock accounts last."""

from __future__ import annotations

from typing import Final

from pytest_totphog.conformance.check import Check
from pytest_totphog.conformance.rules.access import ACCESS
from pytest_totphog.conformance.rules.codes import CODES
from pytest_totphog.conformance.rules.enrolment import ENROLMENT
from pytest_totphog.conformance.rules.parsing import PARSING
from pytest_totphog.conformance.rules.recovery import RECOVERY
from pytest_totphog.conformance.rules.throttle import THROTTLE

__all__ = ["CHECKS"]

CHECKS: Final[tuple[Check, ...]] = (*CODES, *PARSING, *ENROLMENT, *RECOVERY, *ACCESS, *THROTTLE)
