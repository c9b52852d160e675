"""The records of email-mfa: none shows what it keeps secret."""

from pytest_totphog.backends.email_mfa.model import MailAccount, MailedCode, Registration, ResetLink


def test_nothing_secret_is_in_a_representation() -> None:
    """Logs and assertion diffs show neither the hash of a password or link, nor the secret behind a mailed code."""
    ada = ("ada@example.com", "ada@example.com", "Ada", "L", "", 2, "$2b$12$hashed")
    assert "hashed" not in repr(MailAccount(*ada)) + repr(Registration(*ada))
    assert repr(MailedCode("login/ada@example.com", "JBSWY3DPEHPK3PXP")) == "MailedCode(id='login/ada@example.com')"
    assert repr(ResetLink("ada@example.com", "hashed", 1.5)) == "ResetLink(id='ada@example.com', expires_at=1.5)"
