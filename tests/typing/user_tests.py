"""Tests as users write them, with every fixture: what the type checkers make of them."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal, assert_type

import pytest

from pytest_totphog import (
    Account,
    Explanation,
    FrozenClock,
    Instant,
    Mail,
    Mailbox,
    OneTimeCode,
    PracticeBackend,
    Source,
    TotpAccount,
    TotpServer,
    TotpToken,
    TotpTokenFactory,
    VerifierPolicy,
)


def test_token(totp_token: TotpToken) -> None:
    code: str = totp_token.one_time_code(min_remaining=5, lookahead=1, timeout=2.5)
    explanation: Explanation = totp_token.explain(code)
    assert_type(explanation.steps, int | None)
    assert_type(totp_token.remaining_seconds, int)
    assert_type(totp_token.created_at, datetime)
    assert_type(totp_token.verify(code, window=1), bool)
    assert_type(totp_token.qr_png(), bytes)


def test_factory(totp_token_factory: TotpTokenFactory) -> None:
    assert_type(totp_token_factory(name="alice", digits=8, algorithm="SHA-256"), TotpToken)
    totp_token_factory("alice")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    totp_token_factory(digits="8")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_server(totp_server: TotpServer, totp_server_session: TotpServer, tmp_path: Path) -> None:
    sources: list[Source] = ["JBSWY3DPEHPK3PXP", b"\x89PNG", tmp_path / "code.png"]
    for source in sources:
        assert_type(totp_server.enroll(source), TotpToken)
    assert_type(totp_server.clock, FrozenClock)
    totp_server.clock.freeze("2024-01-15T10:30:00Z", patch="freezegun")
    assert_type(totp_server_session.tokens, list[TotpToken])


def test_clock(frozen_clock: FrozenClock) -> None:
    when: Instant = frozen_clock.now()
    frozen_clock.move_to(when)
    frozen_clock.freeze(0, patch="auto")
    assert_type(frozen_clock.mode, Literal["live", "frozen"])
    assert_type(frozen_clock.subprocess_env(), dict[str, str])
    frozen_clock.freeze(0, patch="sundial")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_accounts(
    totp_account: TotpAccount, totp_account_factory: Callable[[], TotpAccount], totp_account_pool: list[Account]
) -> None:
    assert_type(totp_account.token, TotpToken)
    assert_type(totp_account_factory().password, str)
    assert_type(totp_account_pool[0].name, str)


def test_mailbox(totp_mailbox: Mailbox) -> None:
    mails: list[Mail] = totp_mailbox.messages
    assert_type(mails[0].subject, str)


@pytest.mark.totp_policy(window=1)
def test_backend(login_demo_backend: PracticeBackend) -> None:
    assert_type(login_demo_backend.clock, FrozenClock)
    assert_type(login_demo_backend.policy, VerifierPolicy)
    assert_type(login_demo_backend.url, str)


def claimed(code: OneTimeCode) -> tuple[str, int]:
    return code.code, code.step
