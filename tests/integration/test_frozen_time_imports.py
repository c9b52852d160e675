"""Modules that a test is the first to import while time stands still: what they are like for the tests after it."""

import pytest

MODULE = """
    import datetime

    NAMES = {datetime.datetime: "datetime"}


    def year(read=datetime.datetime.now):
        return read().year
    """
TESTS = """
    import datetime


    def test_that_freezes(frozen_clock):
        import sqlalchemy.orm
        import yaml

        import shop


    def test_yaml():
        import yaml

        assert yaml.safe_dump({"at": datetime.datetime(2024, 1, 1)})


    def test_sqlalchemy():
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

        class Base(DeclarativeBase):
            pass

        class Login(Base):
            __tablename__ = "login"
            id: Mapped[int] = mapped_column(primary_key=True)
            at: Mapped[datetime.datetime]


    def test_default_argument():
        import shop

        assert shop.year() > 2024


    def test_table():
        import shop

        assert datetime.datetime in shop.NAMES


    def test_error_of_its_own():
        raise ValueError("something else")
    """


@pytest.fixture
def shop(project: pytest.Pytester) -> pytest.Pytester:
    """A project with a module of its own, and tests that are the first to import this and others."""
    project.syspathinsert()
    project.makepyfile(shop=MODULE)
    project.makepyfile(test_shop=TESTS)
    return project


def test_time_machine_leaves_no_trace(shop: pytest.Pytester) -> None:
    """It is what frozen_clock takes where it is installed: the types are the real ones all the time."""
    result = shop.runpytest_subprocess("-rN")
    result.assert_outcomes(passed=5, failed=1)
    assert "freezegun" not in result.stdout.str()


def test_freezegun_says_what_it_has_left(shop: pytest.Pytester) -> None:
    """The end of the freeze warns, and the failures that come of it name it as their cause; another does not."""
    result = shop.runpytest_subprocess("--totphog-clock-patch=freezegun", "-W", "default")
    result.assert_outcomes(passed=1, failed=5, warnings=1)
    output = result.stdout.str()
    names = [
        "sqlalchemy.sql.sqltypes._type_map",
        "yaml.representer.SafeRepresenter.yaml_representers",
        "shop.NAMES",
        "shop.year",
    ]
    assert [name for name in names if name not in output.partition("warnings summary")[2]] == []
    causes = " ".join(output.partition("warnings summary")[0].split()).split("Most likely cause: ")[1:]
    yaml = "yaml.representer.SafeRepresenter.yaml_representers, yaml.representer.Representer.yaml_representers"
    assert [cause.partition(", which a frozen test")[0] for cause in causes] == [
        f"freezegun's types are still in {yaml}",
        "freezegun's types are still in sqlalchemy.sql.sqltypes._type_map",
        "freezegun's types are still in shop.NAMES, shop.year",
        f"freezegun's types are still in sqlalchemy.sql.sqltypes._type_map, {yaml} and 2 more",
    ]


@pytest.mark.parametrize("patch", ["freezegun", "time-machine"])
def test_what_the_plugin_itself_imports_is_sound(project: pytest.Pytester, patch: str) -> None:
    """Server, backends and what they need may come in while time stands still; here every warning is an error."""
    project.makepyfile(
        """
        def test_login(frozen_clock, totp_token, totp_server, login_demo_backend, email_mfa_backend, vault_backend):
            assert totp_token.one_time_code() and totp_token.qr_png()


        def test_afterwards(totp_token):
            assert totp_token.created_at.year > 2024
        """
    )
    project.runpytest_subprocess(f"--totphog-clock-patch={patch}").assert_outcomes(passed=2)
