"""The fixtures of the practice backends and of the mailbox, and the markers totp_policy and totp_flaws."""

import pytest


def test_each_test_has_a_fresh_backend(project: pytest.Pytester) -> None:
    """What one test registers, the next does not know."""
    project.makepyfile(
        """
        import pytest, requests

        @pytest.mark.parametrize("time", ["first", "second"])
        def test_register(simple_backend, time):
            answer = requests.post(f"{simple_backend.url}/register", json={"username": "alice"}, timeout=5)
            assert answer.status_code == 200
        """
    )
    project.runpytest().assert_outcomes(passed=2)


@pytest.mark.parametrize("fixture", ["simple_backend", "email_mfa_backend", "vault_backend", "login_demo_backend"])
def test_backends_share_the_tests_clock(project: pytest.Pytester, fixture: str) -> None:
    """Whichever fixture comes first, the clock that is frozen is the backend's."""
    project.makepyfile(
        f"""
        def test_before({fixture}, frozen_clock):
            assert {fixture}.clock is frozen_clock
            assert {fixture}.clock.time() == 1705314600

        def test_after(frozen_clock, {fixture}):
            assert {fixture}.clock is frozen_clock
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_policy_marker(project: pytest.Pytester) -> None:
    """It changes what it names, the nearest to the test first, and leaves the rest as the document says."""
    project.makepyfile(
        """
        import pytest
        from pytest_totphog import VerifierPolicy

        pytestmark = pytest.mark.totp_policy(window=3, max_failures=7)

        @pytest.mark.totp_policy(window=0)
        def test_policy(simple_backend):
            assert simple_backend.policy == VerifierPolicy(window=0, one_time=False, max_failures=7, reregister=True)

        @pytest.mark.totp_policy(reregister=False)
        def test_a_name_is_taken_once(simple_backend):
            assert simple_backend.policy.reregister is False
        """
    )
    project.runpytest().assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("window=-1", "@pytest.mark.totp_policy: window is -1; accepted are 0 to 100 steps"),
        ("windows=1", "@pytest.mark.totp_policy does not know 'windows'; accepted: window, one_time, max_failures"),
    ],
)
def test_wrong_policy(project: pytest.Pytester, arguments: str, sentence: str) -> None:
    """A sentence, and no traceback of the plugin's."""
    project.makepyfile(
        f"""
        import pytest

        @pytest.mark.totp_policy({arguments})
        def test_policy(simple_backend):
            pass
        """
    )
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"{sentence}*"])
    result.stdout.no_fnmatch_line("*plugin.py*")


def test_flaws_marker(project: pytest.Pytester) -> None:
    """What it names on test, class and module comes together; without it the backend is honest."""
    project.makepyfile(
        """
        import pytest

        def test_honest(simple_backend):
            assert simple_backend.flaws == frozenset()

        @pytest.mark.totp_flaws("replay", "race")
        class TestFlaws:
            def test_flaws_of_the_class(self, simple_backend):
                assert simple_backend.flaws == {"replay", "race"}

            @pytest.mark.totp_flaws("half-login")
            def test_one_more(self, login_demo_backend):
                assert login_demo_backend.flaws == {"replay", "race", "half-login"}
        """
    )
    project.runpytest().assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("fixture", "arguments", "sentence"),
    [
        ("simple", "'half-login'", "totp_flaws: simple has no flaw 'half-login'; accepted: replay, trailing-replay, "),
        ("simple", "{'replay'}", "totp_flaws: simple has no flaw {'replay'}; accepted: replay, "),
        ("vault", "'replay'", "totp_flaws: the app vault does not take 'flaws'; accepted: clock, store, "),
        ("simple", "replay=True", "totp_flaws takes names, and no replay=…"),
    ],
)
def test_wrong_flaws(project: pytest.Pytester, fixture: str, arguments: str, sentence: str) -> None:
    """A sentence, and no traceback of the plugin's."""
    project.makepyfile(
        f"""
        import pytest

        @pytest.mark.totp_flaws({arguments})
        def test_flaws({fixture}_backend):
            pass
        """
    )
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"@pytest.mark.{sentence}*"])
    result.stdout.no_fnmatch_line("*plugin.py*")


def test_mails_go_to_the_tests_mailbox(project: pytest.Pytester) -> None:
    """email_mfa_backend sends to totp_mailbox, which is empty at first."""
    project.makepyfile(
        """
        import pytest, requests

        BODY = {"firstName": "A", "lastName": "L", "email": "alice@example.com", "password": "secret"}

        @pytest.mark.parametrize("time", ["first", "second"])
        def test_mail(email_mfa_backend, totp_mailbox, time):
            assert totp_mailbox.messages == []
            assert requests.post(f"{email_mfa_backend.url}/register", json=BODY, timeout=5).status_code == 200
            assert len(totp_mailbox.wait_for_code(to="alice@example.com")) == 6
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_in_test_case_classes(project: pytest.Pytester) -> None:
    """`usefixtures` sets them on the instance, as it does with the other fixtures."""
    project.makepyfile(
        """
        import unittest, pytest

        @pytest.mark.usefixtures("simple_backend", "totp_mailbox")
        class TestIt(unittest.TestCase):
            def test_set(self):
                assert self.simple_backend.url.startswith("http://127.0.0.1:")
                assert self.totp_mailbox.messages == []
        """
    )
    project.runpytest().assert_outcomes(passed=1)
