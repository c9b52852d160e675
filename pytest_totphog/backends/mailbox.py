"""The mailbox: an SMTP server in this process that keeps what is sent to it (aiosmtpd receives it)."""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import MailNotReceived, MissingExtra, ServerError, hidden_in_reports
from pytest_totphog.wsgi.forks import at_fork

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Mail", "Mailbox"]

__tracebackhide__ = hidden_in_reports


@dataclass(frozen=True, eq=False, repr=False)
class Mail:
    """A mail as it arrived.

    Attributes:
        sender: the envelope's sender.
        recipients: the envelope's recipients, which decide who gets it.
        message: the message, parsed.
    """

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage

    def __repr__(self) -> str:
        # Not the text: it has the code in it.
        return f"<Mail {self.subject!r} to {', '.join(self.recipients)}>"

    @property
    def subject(self) -> str:
        """The subject; empty when there is none."""
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str:
        """The plain text part; empty when there is none."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML part; empty when there is none."""
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


class Mailbox:
    """An SMTP server on loopback that keeps every mail.

    Usable without pytest: `with Mailbox() as mailbox: …`

    Args:
        host: the address to listen on.
        port: the port to listen on; 0 for a free one.

    Raises:
        MissingExtra: where aiosmtpd is not installed.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        try:
            from aiosmtpd.controller import Controller
        except ImportError:
            raise MissingExtra("the mailbox", "aiosmtpd", "backends") from None
        self._arrived = threading.Condition()
        self._mails: list[Mail] = []
        self._controller_type = Controller
        self._controller: Any = None
        self._process = os.getpid()
        at_fork(after_in_child=self._leave)
        self.host = host
        self._asked_port = port

    def __repr__(self) -> str:
        return f"<Mailbox {f'at {self.host}:{self.port}' if self._controller else 'stopped'}, {len(self._mails)} mails>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on.

        Raises:
            ServerError: while it is not running.
        """
        if self._controller is None:
            raise ServerError("the mailbox is not running, so it has no port yet; start() it first")
        return cast("int", self._controller.port)

    @property
    def messages(self) -> list[Mail]:
        """All mails, oldest first."""
        with self._arrived:
            return list(self._mails)

    def start(self) -> None:
        """Listen; mails are accepted when this returns.

        Raises:
            ServerError: when the address cannot be had.
        """
        # At DEBUG aiosmtpd logs every line of every mail, and so every code.
        logging.getLogger("mail.log").setLevel(logging.INFO)
        try:
            # aiosmtpd connects to the port it was given to see whether it is up, so 0 will not do.
            with socket.create_server((self.host, self._asked_port)) as free:
                port = free.getsockname()[1]
            controller = self._controller_type(_Receiver(self._keep), hostname=self.host, port=port, ready_timeout=10)
            controller.start()
        except (OSError, OverflowError) as error:
            raise ServerError(
                f"cannot receive mail on {self.host} port {self._asked_port}: {error}. "
                "Choose another host or port; port 0 is a free one"
            ) from None
        self._controller, self._process = controller, os.getpid()

    def stop(self) -> None:
        """Stop listening; the mails stay. Does nothing when it is not running, or runs in a parent process."""
        controller, self._controller = self._controller, None
        if controller is not None and self._process == os.getpid():
            controller.stop()

    def clear(self) -> None:
        """Forget all mails."""
        with self._arrived:
            self._mails.clear()

    def wait_for_message(self, to: str | None = None, after: Mail | None = None, timeout: float = 10) -> Mail:
        """Return the latest mail, waiting for it where it has not come yet.

        Args:
            to: only mails to this address, whatever its case.
            after: only mails that came later than this one.
            timeout: how long to wait at the most, in real seconds.

        Raises:
            MailNotReceived: when there is none in time; it says which mails there are.
        """
        return self._wait(to, after, timeout, bool, "no mail")[0]

    def wait_for_code(
        self, to: str | None = None, after: Mail | None = None, timeout: float = 10, digits: int = 6
    ) -> str:
        """Return the code in the latest mail that has one, waiting for it where it has not come yet.

        Args:
            to: see `wait_for_message`.
            after: see `wait_for_message`.
            timeout: see `wait_for_message`.
            digits: the code's length.

        Raises:
            MailNotReceived: when there is none in time; it says which mails there are.
        """
        code = re.compile(rf"(?<![0-9]){'[0-9]' * digits}(?![0-9])")
        _, found = self._wait(to, after, timeout, lambda mail: code.search(mail.text), f"no mail with {digits} digits")
        return str(found[0])

    def _leave(self) -> None:
        """Let go of what a forked process has inherited, so that the port is free when the parent stops."""
        if self._controller is not None:
            with Path(os.devnull).open("rb") as nothing:
                for listening in self._controller.server.sockets:
                    os.dup2(nothing.fileno(), listening.fileno())  # not closed: asyncio will do that

    def _keep(self, mail: Mail) -> None:
        with self._arrived:
            self._mails.append(mail)
            self._arrived.notify_all()

    def _wait(self, to: str | None, after: Mail | None, timeout: float, find: Any, what: str) -> tuple[Mail, Any]:
        """Return the latest mail in which `find` finds something, and what it found."""
        deadline = Clock.monotonic() + timeout
        with self._arrived:
            while True:
                newest_first = self._mails[::-1]
                if after in self._mails:
                    newest_first = newest_first[: newest_first.index(after)]
                for mail in newest_first:
                    addressed = to is None or to.casefold() in (address.casefold() for address in mail.recipients)
                    if addressed and (found := find(mail)):
                        return mail, found
                left = deadline - Clock.monotonic()
                if left <= 0:
                    whom = f" to {to}" if to is not None else ""
                    there = "; ".join(repr(mail) for mail in self._mails) or "none at all"
                    raise MailNotReceived(f"{what}{whom} came within {timeout} s; there are: {there}")
                self._arrived.wait(left)


class _Receiver:
    """What aiosmtpd calls when a mail has arrived."""

    def __init__(self, keep: Callable[[Mail], None]) -> None:
        self._keep = keep

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        message = message_from_bytes(envelope.content, policy=policy.default)
        self._keep(Mail(envelope.mail_from, tuple(envelope.rcpt_tos), message))
        return "250 OK"
