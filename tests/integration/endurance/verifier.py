"""A login server of its own kind: pyotp, replay protection, and a log that is only ever appended to.

Run as a program: `python verifier.py SECRET PERIOD LOG`. It prints its URL.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TextIO

import pyotp

# How many steps a code may be late; a machine under load answers when it can.
WINDOW = 3


class Verifier:
    """Accepts each step once."""

    def __init__(self, secret: str, period: int, log: TextIO) -> None:
        """Start with no step used."""
        self.totp = pyotp.TOTP(secret, digits=8, interval=period)
        self.used: set[int] = set()
        self.lock = threading.Lock()
        self.log = log

    def verify(self, code: str, holder: str) -> str:
        """Judge a code, and write down what came of it before anybody is told."""
        with self.lock:
            now = int(time.time()) // self.totp.interval
            steps = [step for step in range(now + 1, now - WINDOW - 1, -1) if self.totp.generate_otp(step) == code]
            verdict = "wrong" if not steps else "replay" if steps[0] in self.used else "accepted"
            self.used.update(steps[:1])
            self.log.write(
                json.dumps({"step": steps[0] if steps else None, "holder": holder, "verdict": verdict}) + "\n"
            )
            self.log.flush()
            return verdict


def serve(verifier: Verifier) -> ThreadingHTTPServer:
    """Return the server that takes `{"code", "holder"}`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = verifier.verify(given["code"], given["holder"]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    ThreadingHTTPServer.request_queue_size = 512
    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


if __name__ == "__main__":
    with Path(sys.argv[3]).open("a", encoding="utf-8") as log:
        server = serve(Verifier(sys.argv[1], int(sys.argv[2]), log))
        sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()
