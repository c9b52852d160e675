"""What email-mfa sends, and how: proper multipart mails over SMTP."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from html import escape
from typing import Final

from pytest_totphog.clocks.clock import Clock

__all__ = ["MailNotSent", "Postman"]

SENDER: Final = "no-reply@totphog.example"
SMTP_SECONDS: Final = 10

_HTML = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{subject}</title></head>
<body><p>{before}</p><p style="font-size:1.5em"><strong>{shown}</strong></p><p>{after}</p></body></html>
"""


class MailNotSent(Exception):
    """The mail server was not reached, or did not take the mail."""


@dataclass(frozen=True)
class Postman:
    """Sends the mails of one app.

    Attributes:
        smtp: host and port of the mail server; None when there is none.
        clock: what the mails are dated by.
    """

    smtp: tuple[str, int] | None
    clock: Clock

    def send_code(self, to: str, code: str, minutes: int) -> None:
        """Send a verification code.

        Raises:
            MailNotSent: when it cannot be sent.
        """
        after = f"It is good for {minutes} minutes, and once. If you did not ask for it, forget this mail."
        self._send(to, "Your verification code", "Your verification code is", code, code, after)

    def send_reset_link(self, to: str, link: str, minutes: int) -> None:
        """Send a link to set a new password.

        Raises:
            MailNotSent: when it cannot be sent.
        """
        anchor = f'<a href="{escape(link)}">{escape(link)}</a>'
        after = f"It is good for {minutes} minutes, and once. If you did not ask for it, forget this mail."
        self._send(to, "Reset your password", "Set a new password here:", link, anchor, after)

    def _send(self, to: str, subject: str, before: str, plain: str, html: str, after: str) -> None:
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = subject, SENDER, to
        mail["Date"], mail["Message-ID"] = format_datetime(self.clock.now()), make_msgid(domain="totphog.example")
        mail.set_content(f"{before}\n\n    {plain}\n\n{after}\n")
        mail.add_alternative(_HTML.format(subject=subject, before=before, shown=html, after=after), subtype="html")
        if self.smtp is None:
            raise MailNotSent("no mail server is configured")
        try:
            with smtplib.SMTP(*self.smtp, timeout=SMTP_SECONDS) as server:
                server.send_message(mail)
        except (OSError, smtplib.SMTPException) as error:
            # Not the exception's text: a server's refusal may repeat what it was sent.
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            raise MailNotSent(f"the mail server at {self.smtp[0]}:{self.smtp[1]} did not take it ({reason})") from None
