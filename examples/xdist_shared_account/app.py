"""A login with a password and a one-time code, each of which is accepted once (RFC 6238, section 5.2)."""

import threading

import pyotp
from flask import Flask, request

PASSWORD = "correct horse battery staple"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
# Two seconds instead of the usual thirty, so that twenty logins take forty seconds and not ten minutes.
PERIOD = 2


def create_app() -> Flask:
    app = Flask(__name__)
    totp = pyotp.TOTP(SECRET, interval=PERIOD)
    used: set[str] = set()
    lock = threading.Lock()

    @app.post("/login")
    def login():
        if (request.form["user"], request.form["password"]) != ("alice", PASSWORD):
            return "wrong user or password", 401
        with lock:
            if not totp.verify(request.form["code"], valid_window=1):
                return "wrong code", 401
            if request.form["code"] in used:
                return "this code was used before", 401
            used.add(request.form["code"])
        return "Welcome, alice!"

    return app
