"""Servers in a process that is forked: they are the parent's, who alone stops them, and whose ports they are."""

import sys

import pytest

from tests.support.forks import shown

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing forks there")

HOLD = """
reading, writing = os.pipe()

def hold():
    # A forked process that lives on while its parent stops.
    os.close(writing)
    os.read(reading, 1)
    return "ended"
"""


def test_port_is_free_when_the_parent_stops() -> None:
    """Also while a forked process lives on, which has inherited the socket."""
    program = """
from pytest_totphog import TotpServer

server = TotpServer()
server.start()
port = server.port
child = Child(hold)
server.stop()
again = TotpServer(port=port)
again.start()
show(again.port == port)
again.stop()
os.close(writing)
show(child.result())
"""
    # Newer Pythons warn of a fork while the server's thread runs.
    assert shown(HOLD + program, warnings="ignore") == [True, "ended"]


def test_port_of_the_mailbox_is_free_when_the_parent_stops() -> None:
    """Its server is aiosmtpd's."""
    program = """
from pytest_totphog.backends.mailbox import Mailbox

mailbox = Mailbox()
mailbox.start()
port = mailbox.port
child = Child(hold)
def stop():
    mailbox.stop()
    return repr(mailbox)
show(Child(stop).result())
import smtplib
with smtplib.SMTP("127.0.0.1", port) as client:
    show(client.noop()[0])
mailbox.stop()
with Mailbox(port=port) as again:
    show(again.port == port)
os.close(writing)
show(child.result())
"""
    assert shown(HOLD + program, warnings="ignore") == ["<Mailbox stopped, 0 mails>", 250, True, "ended"]


def test_forked_process_neither_serves_nor_stops() -> None:
    """It knows the server's address, and asks the parent; what it stops goes on there. It may have one of its own."""
    program = """
import requests
from pytest_totphog import TotpServer

server = TotpServer()
server.start()
token = server.add_token(secret="JBSWY3DPEHPK3PXP")

def ask():
    return requests.get(f"{server.api_url}/tokens", timeout=30).json()["count"]

def stop():
    asked = ask()
    server.stop()
    return [asked, repr(server)]

def start_anew():
    server.stop()
    server.start()
    asked = ask()
    port = server.port
    server.stop()
    return [asked, port]

show(Child(stop).result())
show(ask())
asked, port = Child(start_anew).result()
show([asked, port != server.port, ask()])
server.stop()
"""
    assert shown(program, warnings="ignore") == [[1, "<TotpServer stopped, 1 tokens>"], 1, [1, True, 1]]


def test_forked_processes_take_no_code_twice() -> None:
    """By their own copies of the server's token."""
    program = """
import multiprocessing
from pytest_totphog.authenticator.totp_token import issuer_of
from pytest_totphog import TotpServer

with TotpServer() as server:
    token = server.add_token()
    def take(taken):
        taken.put(issuer_of(token).claim(lookahead=1000, timeout=0).step)
    context = multiprocessing.get_context("fork")
    taken = context.SimpleQueue()
    children = [context.Process(target=take, args=(taken,)) for _ in range(3)]
    for child in children:
        child.start()
    show(len({taken.get() for _ in children} | {issuer_of(token).claim(lookahead=1000, timeout=0).step}))
    for child in children:
        child.join()
"""
    assert shown(program, warnings="ignore") == [4]
