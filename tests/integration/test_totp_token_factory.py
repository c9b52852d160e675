"""The fixture totp_token_factory: as many tokens as a test or a wider fixture asks for."""

import pytest


def test_each_call_makes_another_token(project: pytest.Pytester) -> None:
    """Two calls give two tokens with secrets of their own, both in the server."""
    project.makepyfile(
        """
        def test_two_accounts(totp_server, totp_token_factory):
            alice, bob = totp_token_factory(name="alice"), totp_token_factory(name="bob")
            assert str(alice.secret) != str(bob.secret)
            assert totp_server.tokens == [alice, bob]
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_arguments_are_those_of_the_marker(project: pytest.Pytester) -> None:
    """The factory takes what the marker totp takes, a key URI included."""
    project.makepyfile(
        """
        def test_shapes(totp_token_factory):
            shaped = totp_token_factory(
                secret="JBSWY3DPEHPK3PXP", digits=8, period=60, algorithm="sha256", issuer="Shop", name="alice"
            )
            assert shaped.at("2024-01-15T10:30:00Z") == "48298960"
            assert (shaped.issuer, shaped.name) == ("Shop", "alice")
            read = totp_token_factory(uri="otpauth://totp/Shop:bob?secret=JBSWY3DPEHPK3PXP")
            assert read.at("2024-01-15T10:30:00Z") == "648307"
            assert (read.issuer, read.name) == ("Shop", "bob")
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_marker_does_not_shape_what_the_factory_makes(project: pytest.Pytester) -> None:
    """The marker is about totp_token alone."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.totp(digits=8)
        def test_defaults(totp_token, totp_token_factory):
            assert (totp_token.digits, totp_token_factory().digits) == (8, 6)
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_token_of_a_module_lives_as_long_as_the_module_needs(project: pytest.Pytester) -> None:
    """What a module-scoped fixture makes is in the server for all tests; what a test makes is gone after it."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="module")
        def account(totp_token_factory):
            return totp_token_factory(name="of the module")

        @pytest.mark.parametrize("turn", [1, 2])
        def test_beside_one_of_its_own(account, totp_token_factory, totp_server, turn):
            own = totp_token_factory(name="of the test")
            assert totp_server.tokens == [account, own]
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_bad_argument_raises_where_it_is_given(project: pytest.Pytester) -> None:
    """The error of a bad argument ends the traceback in the test's own line."""
    project.makepyfile(
        """
        def test_login(totp_token_factory):
            totp_token_factory(digits=5)
        """
    )
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">       totp_token_factory(digits=5)",
            "E       pytest_totphog.errors.InvalidInput: digits is 5; accepted are 6, 7 and 8",
            "",
            "test_bad_argument_raises_where_it_is_given.py:2: InvalidInput",
        ]
    )


def test_unknown_argument_is_named(project: pytest.Pytester) -> None:
    """An argument that a token does not have is a TypeError which names it."""
    project.makepyfile(
        """
        import pytest

        def test_login(totp_token_factory):
            with pytest.raises(TypeError, match="'colour'"):
                totp_token_factory(colour="red")
        """
    )
    project.runpytest().assert_outcomes(passed=1)
