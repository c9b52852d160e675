"""The mailbox: real mails by smtplib, kept and waited for."""

import logging
import smtplib
import threading
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from pytest_totphog.backends.mailbox import Mailbox
from pytest_totphog.errors import MailNotReceived, ServerError


@pytest.fixture(scope="module")
def running_mailbox() -> Iterator[Mailbox]:
    """A mail server for the module's tests."""
    with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def mailbox(running_mailbox: Mailbox) -> Mailbox:
    """The mail server, empty."""
    running_mailbox.clear()
    return running_mailbox


def send(mailbox: Mailbox, to: str, subject: str = "Hello", text: str = "", html: str = "") -> None:
    """Send a mail as an app would."""
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, "app@example.com", to
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    with smtplib.SMTP(mailbox.host, mailbox.port, timeout=5) as smtp:
        smtp.send_message(mail)


def test_a_mail_is_kept_as_it_came(mailbox: Mailbox) -> None:
    """Envelope, subject and both parts, decoded."""
    send(mailbox, "alice@example.com", "Grüße ✓", "Für Alice\n", "<p>Für Alice</p>\n")
    [mail] = mailbox.messages
    assert (mail.sender, mail.recipients) == ("app@example.com", ("alice@example.com",))
    assert (mail.subject, mail.text, mail.html) == ("Grüße ✓", "Für Alice\n", "<p>Für Alice</p>\n")


def test_a_mail_without_a_part(mailbox: Mailbox) -> None:
    """Has an empty text for it, and for a missing subject."""
    with smtplib.SMTP(mailbox.host, mailbox.port, timeout=5) as smtp:
        smtp.sendmail("app@example.com", ["alice@example.com"], b"Content-Type: text/html\r\n\r\n<p>1</p>\r\n")
    [mail] = mailbox.messages
    assert (mail.subject, mail.text) == ("", "")
    assert mail.html.strip() == "<p>1</p>"


def test_the_latest_mail_to_somebody(mailbox: Mailbox) -> None:
    """Whatever the case of the address."""
    send(mailbox, "alice@example.com", "first")
    send(mailbox, "alice@example.com", "second")
    send(mailbox, "bob@example.com", "third")
    assert mailbox.wait_for_message(to="Alice@Example.COM").subject == "second"
    assert mailbox.wait_for_message().subject == "third"


def test_a_mail_that_comes_later_is_waited_for(mailbox: Mailbox) -> None:
    """Mails up to `after` do not count."""
    send(mailbox, "alice@example.com", "old")
    old = mailbox.wait_for_message()
    sender = threading.Thread(target=send, args=(mailbox, "alice@example.com", "new"))
    sender.start()
    assert mailbox.wait_for_message(to="alice@example.com", after=old).subject == "new"
    sender.join()


def test_the_code_in_a_mail(mailbox: Mailbox) -> None:
    """Just as many digits as asked for, and no part of a longer number; a mail without one is passed over."""
    send(mailbox, "alice@example.com", text="Order 20240115: your code is 123456, not 12345.")
    send(mailbox, "alice@example.com", text="Call 0044 1865 276150123.")
    assert mailbox.wait_for_code(to="alice@example.com") == "123456"
    assert mailbox.wait_for_code(to="alice@example.com", digits=8) == "20240115"


def test_no_mail_in_time(mailbox: Mailbox) -> None:
    """The error says what was waited for and what is there, and shows no text: codes are in it."""
    send(mailbox, "bob@example.com", "Your code", "123456")
    with pytest.raises(MailNotReceived) as caught:
        mailbox.wait_for_message(to="alice@example.com", timeout=0)
    assert str(caught.value) == (
        "no mail to alice@example.com came within 0 s; there are: <Mail 'Your code' to bob@example.com>"
    )


def test_no_code_in_time(mailbox: Mailbox) -> None:
    """An empty mailbox is said to be empty."""
    with pytest.raises(MailNotReceived, match="no mail with 6 digits came within 0 s; there are: none at all"):
        mailbox.wait_for_code(timeout=0)


def test_no_code_is_logged(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    """The library underneath logs every line at DEBUG, if it is let."""
    with caplog.at_level(logging.DEBUG):
        send(mailbox, "alice@example.com", text="123456")
    assert "123456" not in caplog.text


def test_a_busy_port() -> None:
    """A plain error that names the address and says what to do."""
    with Mailbox() as busy, pytest.raises(ServerError) as caught:
        Mailbox(port=busy.port).start()
    assert str(caught.value).startswith("cannot receive mail on 127.0.0.1 port ")
    assert str(caught.value).endswith("Choose another host or port; port 0 is a free one")


def test_a_stopped_mailbox() -> None:
    """It has no port and keeps its mails; stopping twice does no harm."""
    mailbox = Mailbox()
    with mailbox:
        send(mailbox, "alice@example.com")
    mailbox.stop()
    assert len(mailbox.messages) == 1
    assert repr(mailbox) == "<Mailbox stopped, 1 mails>"
    with pytest.raises(ServerError, match="not running"):
        _ = mailbox.port
