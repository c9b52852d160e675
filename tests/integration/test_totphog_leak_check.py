"""The ini totphog_leak_check: a run fails when its output or its files show a secret, and says where."""

import gzip
import zipfile

import pytest

ALICE = """
    import pytest

    @pytest.fixture
    def alice(totp_server):
        return totp_server.add_token(name="alice", secret="JBSWY3DPEHPK3PXP")
    """


@pytest.fixture(params=[(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
def processes(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Options for one process, and for several."""
    if request.param:
        pytest.importorskip("xdist")
    options: tuple[str, ...] = request.param
    return options


@pytest.fixture
def checked(project: pytest.Pytester) -> pytest.Pytester:
    """A project with the leak check, and with a token."""
    project.makeconftest(ALICE)
    project.makeini("[pytest]\ntotphog_leak_check = true")
    return project


def test_clean_run(checked: pytest.Pytester, processes: tuple[str, ...]) -> None:
    """A line says that it has looked, and at what."""
    checked.makepyfile(
        """
        def test_login(alice): print(alice)

        def test_home(): print("welcome")
        """
    )
    result = checked.runpytest_subprocess(*processes, "--junitxml=report.xml", "--log-file=log.txt")
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["totphog: none of 1 known secret in 2 files and the output of 2 tests"])


def test_run_without_secrets(checked: pytest.Pytester) -> None:
    """So it does where there was nothing to find."""
    checked.makepyfile("def test_home(): pass")
    result = checked.runpytest()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["totphog: none of 0 known secrets in 0 files and the output of 1 test"])


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("print('hello', 'JBSW Y3DP EHPK 3PXP', sep=os.linesep)", "captured stdout call of {test} (line 2)"),
        ("print(alice.uri, file=sys.stderr)", "captured stderr call of {test} (line 1)"),
        ("os.write(1, b'jbswy3dpehpk3pxp')", "captured stdout call of {test} (line 1)"),
        ("logging.warning(alice.secret)", "captured log call of {test} (line 1)"),
        ("record_property('page', '<b>JBSWY3DPEHPK3PXP')", "the property page of {test}"),
        ("record_testsuite_property('page', '<b>JBSWY3DPEHPK3PXP')", "report.xml (line 1)"),
        ("Path('page.html').write_text('otpauth://totp/a?secret=JBSWY3DPEHPK3PXP')", "out/page.html (line 1)"),
    ],
    ids=["stdout", "stderr", "file descriptor", "log", "property", "report", "file"],
)
def test_leak(checked: pytest.Pytester, statement: str, where: str) -> None:
    """A test that passes and tells a secret makes the run fail; what it told is shown nowhere."""
    (checked.path / "out").mkdir()
    checked.makeini("[pytest]\ntotphog_leak_check = true\ntotphog_leak_check_files = out/**")
    checked.makepyfile(
        f"""
        import logging
        import os
        import sys
        from pathlib import Path

        def test_login(alice, record_property, record_testsuite_property):
            os.chdir("out")
            {statement}
        """
    )
    result = checked.runpytest_subprocess("--junitxml=report.xml", "-o", "junit_family=legacy")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    told = where.format(test="test_leak.py::test_login")
    result.stdout.fnmatch_lines(
        ["=* TOTP secrets have leaked =*", f"secret of 'alice' (fingerprint 1c4fa388) in {told}"], consecutive=True
    )
    assert "JBSW" not in result.stdout.str().upper()


def test_leaks_of_many_processes(checked: pytest.Pytester, processes: tuple[str, ...]) -> None:
    """Workers tell their controller what they found and what to look for in the files; each leak is shown once."""
    checked.makeini("[pytest]\ntotphog_leak_check = true\ntotphog_leak_check_files = *.html")
    checked.makepyfile(
        """
        import pytest

        @pytest.fixture
        def page(alice):
            print("page of", alice.secret)
            return f"<html>\\n{alice.secret}"

        @pytest.mark.parametrize("turn", [1, 2, 3])
        def test_login(page, turn):
            with open(f"page{turn}.html", "w") as file:
                file.write(page)
        """
    )
    result = checked.runpytest_subprocess(*processes)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert sorted(line for line in result.outlines if line.startswith("secret of 'alice' ")) == [
        *(
            f"secret of 'alice' (fingerprint 1c4fa388) in {where}"
            for where in (
                "captured stdout setup of test_leaks_of_many_processes.py::test_login[1] (line 1)",
                "captured stdout setup of test_leaks_of_many_processes.py::test_login[2] (line 1)",
                "captured stdout setup of test_leaks_of_many_processes.py::test_login[3] (line 1)",
                "page1.html (line 2)",
                "page2.html (line 2)",
                "page3.html (line 2)",
            )
        )
    ]
    result.stdout.fnmatch_lines(["Looked at: 3 files and the output of 3 tests. *"])


def test_html_report(checked: pytest.Pytester, processes: tuple[str, ...]) -> None:
    """pytest-html's page is looked into after it is written; so is a hook's that writes past the masks."""
    pytest.importorskip("pytest_html")
    checked.makeconftest(
        ALICE
        + """
    def pytest_html_results_summary(prefix):
        prefix.append("<p>logged in with JBSWY3DPEHPK3PXP</p>")
    """
    )
    checked.makepyfile("def test_login(alice): pass")
    plugins = ("-p", "pytest_html.plugin", "-p", "pytest_metadata.plugin", *processes)
    result = checked.runpytest_subprocess(*plugins, "--html=out/report.html", "--self-contained-html")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.re_match_lines([r"secret of 'alice' \(fingerprint 1c4fa388\) in out/report.html \(line \d+\)"])


def test_password_and_name_of_a_test(checked: pytest.Pytester) -> None:
    """An account's password is looked for too, and everything in the names of tests."""
    checked.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def totp_account_pool():
            return [{"name": "alice", "password": "correct horse", "secret": "JBSWY3DPEHPK3PXP"}]
        """
    )
    checked.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("page", ["jbswy3dpehpk3pxp"])
        def test_login(totp_account, page): print("correct horse")
        """
    )
    result = checked.runpytest()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    test = "test_password_and_name_of_a_test.py::test_login[[]********]"
    result.stdout.fnmatch_lines(
        [
            f"secret of 'alice' (fingerprint 1c4fa388) in the name of {test}",
            f"password of 'alice' in captured stdout call of {test} (line 1)",
        ]
    )


def test_archives(checked: pytest.Pytester) -> None:
    """A trace of Playwright's, which is a zip archive, is unpacked, and what cannot be read is told."""
    checked.makeini("[pytest]\ntotphog_leak_check = true\ntotphog_leak_check_files =\n    out/**\n    videos/*.webm")
    (checked.path / "out").mkdir()
    with zipfile.ZipFile(checked.path / "out" / "trace.zip", "w", zipfile.ZIP_DEFLATED) as trace:
        trace.writestr("trace.network", '{"body": "JBSW Y3DP EHPK 3PXP"}')
        trace.writestr("resources/page.jpeg", "")
    (checked.path / "out" / "log.gz").write_bytes(gzip.compress(b"fine"))
    checked.makepyfile("def test_login(alice): pass")
    result = checked.runpytest()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "secret of 'alice' (fingerprint 1c4fa388) in out/trace.zip: 'trace.network' (line 1)",
            "Looked at: 2 files and the output of 1 test. *",
            "totphog: not looked at: videos/*.webm, of the ini totphog_leak_check_files, names no file",
            "totphog: not looked at: pictures, videos and PDF files (1)",
        ],
        consecutive=True,
    )


def test_many_leaks(checked: pytest.Pytester) -> None:
    """Fifty are shown, and how many there are more."""
    checked.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("turn", range(52))
        def test_login(alice, turn): print(alice.secret)
        """
    )
    result = checked.runpytest()
    assert len([line for line in result.outlines if line.startswith("secret of 'alice' ")]) == 50
    result.stdout.fnmatch_lines(["and 2 more"])


def test_uncaptured_output(checked: pytest.Pytester) -> None:
    """What goes past pytest cannot be looked at, and it says so."""
    checked.makepyfile("def test_login(alice): print(alice.secret)")
    result = checked.runpytest("-s")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["totphog: not looked at: what tests printed, because -s lets it pass"])


def test_run_that_fails_anyway(checked: pytest.Pytester) -> None:
    """An interrupted run stays interrupted, and the leaks are told."""
    checked.makepyfile(
        """
        import pytest

        def test_login(alice):
            print(alice.secret)

        def test_stop(): pytest.exit("enough")
        """
    )
    result = checked.runpytest()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*TOTP secrets have leaked*"])


def test_without_the_ini(project: pytest.Pytester) -> None:
    """Nobody looks, and nobody fails, unless asked."""
    project.makeconftest(ALICE)
    project.makepyfile("def test_login(alice): print(alice.secret)")
    result = project.runpytest()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*totphog:*")


def test_collecting_only(checked: pytest.Pytester) -> None:
    """Without a test that runs there is nothing to check."""
    checked.makepyfile("def test_login(alice): pass")
    result = checked.runpytest("--collect-only")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*totphog:*")
