"""The fixture totp_token and the marker totp that shapes it."""

import base64
import sys

import pytest

# RFC 6238 appendix B: the key repeats these digits to the length of the hash. Time, then code.
VECTORS = {
    ("sha1", 20): {
        59: "94287082",
        1111111109: "07081804",
        1111111111: "14050471",
        1234567890: "89005924",
        2000000000: "69279037",
        20000000000: "65353130",
    },
    ("sha256", 32): {
        59: "46119246",
        1111111109: "68084774",
        1111111111: "67062674",
        1234567890: "91819424",
        2000000000: "90698825",
        20000000000: "77737706",
    },
    ("sha512", 64): {
        59: "90693936",
        1111111109: "25091201",
        1111111111: "99943326",
        1234567890: "93441116",
        2000000000: "38618901",
        20000000000: "47863826",
    },
}


def key(length: int) -> str:
    """Return the key of the RFCs' test vectors in base32."""
    return base64.b32encode((b"1234567890" * 7)[:length]).decode("ascii")


def test_every_test_gets_a_token_of_its_own(project: pytest.Pytester) -> None:
    """Without a marker the token is fresh: a random secret of 160 bits and the usual parameters."""
    project.makepyfile(
        """
        import pytest

        SECRETS = set()

        @pytest.mark.parametrize("turn", [1, 2])
        def test_fresh(totp_token, totp_server, turn):
            SECRETS.add(str(totp_token.secret))
            assert len(SECRETS) == turn
            assert totp_server.tokens == [totp_token]
            shape = (totp_token.digits, totp_token.period, totp_token.algorithm, totp_token.issuer, totp_token.name)
            assert shape[:4] == (6, 30, "sha1", "TOTPHog")
            assert totp_token.name.startswith("test_")
            assert len(totp_token.secret) == 32
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_token_and_server_agree(project: pytest.Pytester) -> None:
    """The token's code is the one that the server answers with at the token's URL."""
    project.makepyfile(
        """
        import requests

        def test_code(totp_token, frozen_clock):
            answer = requests.get(totp_token.code_url, timeout=5).json()
            assert answer["data"]["code"] == totp_token.now()
        """
    )
    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize(("algorithm", "length"), VECTORS)
def test_vectors_of_rfc_6238(project: pytest.Pytester, algorithm: str, length: int) -> None:
    """A token with the key of RFC 6238 appendix B has the codes of its table."""
    project.makepyfile(
        f"""
        import pytest

        @pytest.mark.totp(secret="{key(length)}", digits=8, algorithm="{algorithm}")
        def test_codes(totp_token):
            expected = {VECTORS[algorithm, length]!r}
            assert {{when: totp_token.at(when) for when in expected}} == expected

        @pytest.mark.totp(secret="{key(length)}", digits=8, algorithm="{algorithm}")
        @pytest.mark.parametrize(("when", "code"), {[*VECTORS[algorithm, length].items()]!r})
        def test_on_the_clock(totp_token, frozen_clock, when, code):
            frozen_clock.move_to(when)
            assert totp_token.now() == code
        """
    )
    project.runpytest().assert_outcomes(passed=7)


def test_vectors_of_rfc_4226(project: pytest.Pytester) -> None:
    """With a period of one second a step is a counter: the codes are those of RFC 4226 appendix D."""
    project.makepyfile(
        f"""
        import pytest

        @pytest.mark.totp(secret="{key(20)}", period=1)
        def test_codes(totp_token):
            assert [totp_token.at(counter) for counter in range(10)] == [
                "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"
            ]
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_marker_shapes_the_token(project: pytest.Pytester) -> None:
    """Every argument of the marker arrives in the token."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.totp(
            secret="jbsw y3dp ehpk 3pxp", digits=8, period=60, algorithm="SHA-256", issuer="Shop", name="alice"
        )
        def test_shape(totp_token):
            assert totp_token.uri == (
                "otpauth://totp/Shop:alice?secret=JBSWY3DPEHPK3PXP&issuer=Shop&algorithm=SHA256&digits=8&period=60"
            )
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_uri_says_all_of_it(project: pytest.Pytester) -> None:
    """The marker's uri gives name, issuer and parameters; what it leaves out has its default."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.totp(uri="otpauth://totp/Shop:alice@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Shop&digits=8")
        def test_shape(totp_token):
            assert (totp_token.name, totp_token.issuer) == ("alice@example.com", "Shop")
            assert (totp_token.digits, totp_token.period, totp_token.algorithm) == (8, 30, "sha1")
            assert totp_token.at("1970-01-01T00:00:59Z") == "41996554"
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_nearest_marker_wins(project: pytest.Pytester) -> None:
    """Markers of module, class, test and parameter are merged by argument; the one nearest to the test wins."""
    project.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.totp(issuer="module", name="module", digits=7, period=60)

        def shape(token):
            return token.issuer, token.name, token.digits, token.period

        def test_of_the_module(totp_token):
            assert shape(totp_token) == ("module", "module", 7, 60)

        @pytest.mark.totp(issuer="class", name="class")
        class TestOfTheClass:
            def test_of_the_class(self, totp_token):
                assert shape(totp_token) == ("class", "class", 7, 60)

            @pytest.mark.totp(name="test", digits=8)
            def test_of_the_test(self, totp_token):
                assert shape(totp_token) == ("class", "test", 8, 60)

            @pytest.mark.parametrize("digits", [pytest.param(6, marks=pytest.mark.totp(digits=6)), 7])
            def test_of_the_parameter(self, totp_token, digits):
                assert shape(totp_token) == ("class", "class", digits, 60)
        """
    )
    project.runpytest().assert_outcomes(passed=5)


def test_uri_and_single_arguments_of_different_markers(project: pytest.Pytester) -> None:
    """A nearer uri replaces all that a wider marker says, and a nearer argument replaces a wider uri."""
    project.makepyfile(
        """
        import pytest

        URI = "otpauth://totp/Shop:alice?secret=JBSWY3DPEHPK3PXP"

        @pytest.mark.totp(digits=8, name="wide")
        class TestUriIsNearer:
            @pytest.mark.totp(uri=URI)
            def test_uri(self, totp_token):
                assert (totp_token.name, totp_token.digits) == ("alice", 6)

        @pytest.mark.totp(uri=URI)
        class TestUriIsWider:
            @pytest.mark.totp(digits=8)
            def test_digits(self, totp_token):
                assert (totp_token.name, totp_token.digits) == ("test_digits", 8)
        """
    )
    project.runpytest().assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        (
            'colour="red"',
            "@pytest.mark.totp does not know 'colour'; accepted: secret, digits, period, algorithm, issuer, name, uri",
        ),
        (
            '"JBSWY3DPEHPK3PXP"',
            "@pytest.mark.totp takes names: secret=…, digits=…, period=…, algorithm=…, issuer=…, name=…, uri=…",
        ),
        ("digits=5", "@pytest.mark.totp: digits is 5; accepted are 6, 7 and 8"),
        ('digits="6"', "@pytest.mark.totp: digits is '6'; accepted are 6, 7 and 8"),
        ("period=0", "@pytest.mark.totp: period is 0; accepted are whole seconds from 1 to 86400"),
        ("period=True", "@pytest.mark.totp: period is True; accepted are whole seconds from 1 to 86400"),
        ('algorithm="md5"', "@pytest.mark.totp: algorithm is 'md5'; accepted are sha1, sha256 and sha512"),
        ('name=""', "@pytest.mark.totp: name is empty; accepted is a string with a visible character"),
        ('secret=""', "@pytest.mark.totp: the secret is empty; accepted is base32 such as 'JBSWY3DPEHPK3PXP'"),
        ("secret=5", "@pytest.mark.totp: secret is of type int; accepted is a base32 string"),
        (
            'secret="JBSWY3DPEHPK3PX1"',
            (
                "@pytest.mark.totp: the secret is not base32: character 16 is '1'; accepted are the letters A to Z "
                "and the digits 2 to 7, with spaces, dashes or padding"
            ),
        ),
        (
            'uri="otpauth://hotp/alice?secret=JBSWY3DPEHPK3PXP"',
            "@pytest.mark.totp: the type of the key URI is 'hotp'; accepted is totp",
        ),
        (
            'uri="otpauth://totp/alice?secret=JBSWY3DPEHPK3PXP", digits=8, name="bob"',
            "@pytest.mark.totp: uri says it all; also given: digits, name",
        ),
    ],
)
def test_bad_marker_is_a_sentence(project: pytest.Pytester, marker: str, sentence: str) -> None:
    """A marker's mistake is told in one sentence, at the setup of the test, without the plugin's traceback."""
    project.makepyfile(
        f"""
        import pytest

        @pytest.mark.totp({marker})
        def test_login(totp_token):
            pass
        """
    )
    result = project.runpytest("--showlocals", "-rN")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ERROR at setup of test_login*", sentence, "=*"], consecutive=True)


def test_token_survives_its_removal_from_the_server(project: pytest.Pytester) -> None:
    """A token that a test removes still computes codes, and the next test is unaffected."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.totp(secret="JBSWY3DPEHPK3PXP")
        def test_removed(totp_token, totp_server):
            totp_server.remove(totp_token)
            assert totp_token.at("2024-01-15T10:30:00Z") == "648307"

        def test_next(totp_token, totp_server):
            assert totp_server.tokens == [totp_token]
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_marker_that_nothing_reads(project: pytest.Pytester) -> None:
    """A test that takes no token, or no backend, is told that its marker changes nothing; one of many is not."""
    project.makepyfile(
        """
        import pytest

        pytestmark = [pytest.mark.totp(digits=8), pytest.mark.totp_policy(window=0)]

        @pytest.fixture
        def phone(totp_token):
            return totp_token

        @pytest.mark.totp(digits=8)
        @pytest.mark.totp(period=60)
        def test_forgotten(totp_server):
            pass

        @pytest.mark.totp_flaws("replay")
        def test_flawed():
            pass

        @pytest.mark.totp(digits=7)
        def test_by_another_fixture(phone):
            assert phone.digits == 7

        @pytest.mark.totp_policy(window=1)
        def test_policy(simple_backend):
            assert simple_backend.policy.window == 1

        def test_others():
            pass
        """
    )

    result = project.runpytest("-W", "default")

    result.assert_outcomes(passed=5, warnings=2)
    result.stdout.fnmatch_lines(
        [
            "*PytestWarning: @pytest.mark.totp changes nothing: test_forgotten does not take totp_token, which *",
            "*PytestWarning: @pytest.mark.totp_flaws changes nothing: test_flawed does not take simple_backend or *",
        ]
    )
    result = project.runpytest("-W", "error", "-k", "forgotten")
    result.assert_outcomes(errors=1, deselected=4)


def test_missing_package_is_no_marker_s_mistake(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of one that is there, nor of one that is not."""
    monkeypatch.setitem(sys.modules, "time_machine", None)
    monkeypatch.setitem(sys.modules, "bcrypt", None)
    project.makepyfile(
        """
        import pytest

        def test_clock(frozen_clock):
            pass

        @pytest.mark.totp_policy(window=0)
        def test_backend(vault_backend):
            pass
        """
    )

    result = project.runpytest("--totphog-clock-patch=time-machine", "-rN")

    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            "patch='time-machine' needs time-machine; install it with: pip install 'pytest-totphog[[]time-machine[]]'",
            "*needs bcrypt; install it with: pip install 'pytest-totphog[[]backends[]]'",
        ]
    )
    result.stdout.no_fnmatch_line("@pytest.mark.*:*needs*")


def test_marker_of_a_test_that_asks_for_its_fixtures_while_it_runs(project: pytest.Pytester) -> None:
    """As the scenarios of pytest-bdd do: a test that takes `request` may read the marker, and is not warned."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.totp(digits=8)
        def test_late(request):
            assert request.getfixturevalue("totp_token").digits == 8
        """
    )
    project.runpytest().assert_outcomes(passed=1)
