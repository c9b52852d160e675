"""The fixture totp_account_pool: where the accounts come from."""

import json

import pytest

ALICE = {"name": "alice", "password": "correct horse", "secret": "JBSWY3DPEHPK3PXP"}
BOB = {"name": "bob", "password": "battery staple", "secret": "GEZDGNBVGY3TQOJQ"}
SECRETS = ("correct horse", "battery staple", "JBSWY3DPEHPK3PXP", "GEZDGNBVGY3TQOJQ")

TESTS = """
    def test_login(totp_account):
        assert totp_account.name == "alice"

    def test_admin(totp_account):
        assert totp_account.name == "bob"
    """


def test_file_beside_the_ini_file(project: pytest.Pytester) -> None:
    """A relative path begins at the root of the project, wherever pytest is started."""
    project.makeini("[pytest]\ntotphog_account_pool = secret/accounts.json\n")
    (project.mkdir("secret") / "accounts.json").write_text(json.dumps([ALICE, BOB]), "utf-8")
    (project.mkdir("tests") / "test_login.py").write_text(dedented(TESTS), "utf-8")
    project.chdir()
    project.runpytest("tests").assert_outcomes(passed=2)


def test_file_in_the_home_folder(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it cannot be committed by mistake."""
    monkeypatch.setenv("HOME", str(project.mkdir("home")))
    monkeypatch.setenv("USERPROFILE", str(project.path / "home"))
    (project.path / "home" / "accounts.json").write_text(json.dumps([ALICE, BOB]), "utf-8")
    project.makeini("[pytest]\ntotphog_account_pool = ~/accounts.json\n")
    project.makepyfile(TESTS)
    project.runpytest().assert_outcomes(passed=2)


def test_environment_variable(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """As CI hands secrets over."""
    monkeypatch.setenv("SHOP_ACCOUNTS", json.dumps([ALICE, BOB]))
    project.makeini("[pytest]\ntotphog_account_pool = env:SHOP_ACCOUNTS\n")
    project.makepyfile(TESTS)
    project.runpytest().assert_outcomes(passed=2)


def test_fixture_of_the_project(project: pytest.Pytester) -> None:
    """Whatever a project can compute: accounts, or mappings of what they are made of."""
    project.makeconftest(
        """
        import pytest

        from pytest_totphog import Account

        @pytest.fixture(scope="session")
        def totp_account_pool():
            bob = {"name": "bob", "password": "battery staple", "uri": "otpauth://totp/bob?secret=GEZDGNBVGY3TQOJQ"}
            return [Account("alice", "correct horse", secret="JBSWY3DPEHPK3PXP"), bob]
        """
    )
    project.makepyfile(TESTS)
    project.runpytest().assert_outcomes(passed=2)


def test_fixture_of_one_module(project: pytest.Pytester) -> None:
    """Accounts with other rights are a pool of their own, beside that of the ini file."""
    project.makeini("[pytest]\ntotphog_account_pool = accounts.json\n")
    (project.path / "accounts.json").write_text(json.dumps([ALICE, BOB]), "utf-8")
    project.makepyfile(
        test_users=TESTS,
        test_admins="""
        import pytest

        @pytest.fixture(scope="module")
        def totp_account_pool():
            return [{"name": "root", "password": "toor", "secret": "MFRGGZDFMZTWQ2LK"}]

        def test_settings(totp_account):
            assert totp_account.name == "root"
        """,
    )
    project.runpytest().assert_outcomes(passed=3)


def test_pool_that_nobody_asks_for_is_not_read(project: pytest.Pytester) -> None:
    """Whoever has no accounts can still run the tests that need none."""
    project.makeini("[pytest]\ntotphog_account_pool = env:SHOP_ACCOUNTS\n")
    project.makepyfile("def test_login(totp_token): pass")
    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        (
            "",
            "totp_account has no accounts to choose from; name a JSON file, *in the ini totphog_account_pool, or *",
        ),
        (
            "totphog_account_pool = nowhere.json",
            "ini totphog_account_pool: cannot read */nowhere.json: No such file or directory",
        ),
        (
            "totphog_account_pool = accounts.json",
            "ini totphog_account_pool: */accounts.json: entry 2: unknown: 'pasword'; accepted are name, password, *",
        ),
        (
            "totphog_account_pool = env:SHOP_ACCOUNTS",
            "ini totphog_account_pool: the environment variable SHOP_ACCOUNTS is not set; accepted is a JSON list *",
        ),
    ],
)
def test_mistake_in_the_settings(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ini: str, message: str
) -> None:
    """One sentence says what is wrong, where, and what is accepted; nothing secret is in it."""
    monkeypatch.delenv("SHOP_ACCOUNTS", raising=False)
    misspelled = {"name": "bob", "pasword": "battery staple", "secret": "GEZDGNBVGY3TQOJQ"}
    (project.path / "accounts.json").write_text(json.dumps([ALICE, misspelled]), "utf-8")
    project.makeini(f"[pytest]\n{ini}\n")
    project.makepyfile("def test_login(totp_account): pass")
    result = project.runpytest("-vv", "--showlocals")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message.replace("[", "[[]")])
    assert [secret for secret in SECRETS if secret in result.stdout.str()] == []


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("[]", "totp_account_pool: it has no accounts; accepted is a JSON list such as *"),
        ("None", "totp_account_pool: it is missing; accepted is a JSON list such as *"),
        ('[{"name": "alice", "secret": "JBSWY3DPEHPK3PXP"}]', "totp_account_pool: entry 1: password is missing; *"),
    ],
)
def test_mistake_in_a_fixture(project: pytest.Pytester, returned: str, message: str) -> None:
    """The list of a project's own fixture is checked like a file."""
    project.makepyfile(
        f"""
        import pytest

        @pytest.fixture
        def totp_account_pool():
            return {returned}

        def test_login(totp_account):
            pass
        """
    )
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])


def test_nothing_secret_is_told(project: pytest.Pytester) -> None:
    """Accounts, their parts and the pool are among the local variables of tests that fail in every way."""
    project.makeini("[pytest]\ntotphog_account_pool = accounts.json\n")
    (project.path / "accounts.json").write_text(json.dumps([ALICE, BOB]), "utf-8")
    project.makepyfile(
        """
        import logging

        def test_compares(totp_account_factory, totp_account_pool):
            alice, bob = totp_account_factory(), totp_account_factory()
            password, secret, pool = alice.password, alice.token.secret, totp_account_pool
            print(alice, [bob.password], pool)
            logging.getLogger("shop").warning("%s %r", alice, password)
            assert alice == bob

        def test_compares_pools(totp_account_pool):
            assert totp_account_pool[0] == totp_account_pool[1]

        def test_compares_lists(totp_account_pool):
            assert totp_account_pool == totp_account_pool[::-1]

        def test_compares_passwords(totp_account):
            assert totp_account.password == "wrong"

        def test_takes_too_many(totp_account_factory):
            while True:
                account = totp_account_factory()
        """
    )
    options = "-vv", "--showlocals", "-rA", "--log-cli-level=DEBUG", "--junitxml=report.xml", "-o", "junit_logging=all"
    result = project.runpytest(*options)
    result.assert_outcomes(failed=5)
    told = f"{result.stdout}{result.stderr}{(project.path / 'report.xml').read_text('utf-8')}"
    assert "TotpAccount(name='alice'" in told
    assert [secret for secret in SECRETS if secret in told] == []


def dedented(code: str) -> str:
    """Return code as it stands in a file."""
    return "\n".join(line.removeprefix("    ") for line in code.splitlines())
