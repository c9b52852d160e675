"""The fixture totp_account_factory: several existing accounts at once."""

import json

import pytest

ACCOUNTS = [
    {"name": "alice", "password": "correct horse", "secret": "JBSWY3DPEHPK3PXP"},
    {"name": "bob", "password": "battery staple", "secret": "GEZDGNBVGY3TQOJQ"},
]


@pytest.fixture
def shop(project: pytest.Pytester) -> pytest.Pytester:
    """A project with two accounts."""
    (project.path / "accounts.json").write_text(json.dumps(ACCOUNTS), "utf-8")
    project.makeini("[pytest]\ntotphog_account_pool = accounts.json\n")
    return project


def test_each_call_takes_another_account(shop: pytest.Pytester) -> None:
    """And all of them are there for the next test."""
    shop.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("turn", [1, 2])
        def test_transfer(totp_account_factory, totp_server, turn):
            sender, recipient = totp_account_factory(), totp_account_factory()
            assert {sender.name, recipient.name} == {"alice", "bob"}
            assert totp_server.tokens == [sender.token, recipient.token]
        """
    )
    shop.runpytest().assert_outcomes(passed=2)


def test_beside_totp_account(shop: pytest.Pytester) -> None:
    """The factory takes one that totp_account has not."""
    shop.makepyfile(
        """
        def test_transfer(totp_account, totp_account_factory):
            assert (totp_account.name, totp_account_factory().name) == ("alice", "bob")
        """
    )
    shop.runpytest().assert_outcomes(passed=1)


def test_more_than_there_are_fails_at_once(shop: pytest.Pytester) -> None:
    """A test that has them all waits for nobody: only itself could give one back."""
    shop.makepyfile(
        """
        def test_transfer(totp_account_factory):
            for _ in range(3):
                totp_account_factory()
        """
    )
    result = shop.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["totp_account: the pool has 2 accounts, and this test has taken them all already; add accounts to the pool"]
    )
