"""Failed tests, as short as they can be told."""

from typing import Any

from pytest_totphog.authenticator.codes import CodeOrigin
from pytest_totphog.failures.failure import ClockState, Failure, UsedCode, UsedToken

# 2024-01-15T10:30:00Z, and the step that begins then.
SECONDS = 1_705_314_600
STEP = 56_843_820

ALICE = UsedToken("alice", "Shop", "1c4fa388", 6, 30, "sha1")
LIVE = ClockState(SECONDS + 10.0)


def code(number: int = 1, by: str = "now()", after: float = 0.0, step: int | None = 0, **more: Any) -> UsedCode:
    """Return a code of alice's.

    Args:
        number: the test's first code is 1.
        by: what gave it.
        after: how many seconds after half past ten it was taken.
        step: how many steps after the one that begins then; None for a code of no step.
        more: see `UsedCode`.
    """
    fields: dict[str, Any] = {"step": None, "code": None}
    if step is not None:
        begins_at = SECONDS + 30 * step
        fields |= {"step": STEP + step, "begins_at": begins_at, "ends_at": begins_at + 30}
    return UsedCode(number=number, token=0, by=CodeOrigin(by), taken_at=SECONDS + after, **{**fields, **more})


def failure(*codes: UsedCode, clock: ClockState = LIVE, **more: Any) -> Failure:
    """Return the failure of a test that took some codes, ten seconds after half past ten."""
    fields: dict[str, Any] = {"test": "test_login.py::test_login", "when": "call", "tokens": (ALICE,)}
    return Failure(clock=clock, codes=codes, **{"code_count": len(codes), **fields, **more})
