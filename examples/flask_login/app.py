"""Harbour: a small web app whose login asks for a password and then for a one-time code (TOTP)."""

from __future__ import annotations

import secrets
import tempfile
import textwrap
from pathlib import Path

import segno
from accounts import Account, Accounts
from flask import Blueprint, Flask, current_app, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

pages = Blueprint("pages", __name__)

# What a view returns: a page, a page with a status, or a redirect.
Page = str | tuple[str, int] | Response


def create_app(accounts: Accounts) -> Flask:
    app = Flask(__name__)
    app.secret_key = secrets.token_bytes()
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.extensions["accounts"] = accounts
    app.register_blueprint(pages)
    return app


@pages.get("/")
def home() -> Page:
    if "name" not in session:
        return redirect(url_for(".login"))
    return render_template("home.html", name=session["name"])


@pages.route("/register", methods=["GET", "POST"])
def register() -> Page:
    if request.method == "GET":
        return render_template("register.html")
    name, password = request.form["name"].strip(), request.form["password"]
    if not name or not password:
        return render_template("register.html", error="Please fill in both fields."), 400
    if not accounts().add(name, password):
        return render_template("register.html", error="This name is taken."), 409
    return ask_for_code(accounts().get(name))


@pages.route("/login", methods=["GET", "POST"])
def login() -> Page:
    if request.method == "GET":
        return render_template("login.html")
    account = accounts().check_password(request.form["name"], request.form["password"])
    if account is None:
        return render_template("login.html", error="Name or password is wrong."), 401
    return ask_for_code(account)


@pages.route("/enroll", methods=["GET", "POST"])
def enroll() -> Page:
    account = who_gave_the_password()
    if account is None or account.enrolled:
        return redirect(url_for(".login"))
    qr = segno.make(account.uri, micro=False).svg_data_uri(scale=5)
    return check_code(account, "enroll.html", qr=qr, secret=" ".join(textwrap.wrap(account.secret, 4)))


@pages.route("/code", methods=["GET", "POST"])
def code() -> Page:
    account = who_gave_the_password()
    if account is None or not account.enrolled:
        return redirect(url_for(".login"))
    return check_code(account, "code.html")


@pages.post("/logout")
def logout() -> Page:
    session.clear()
    return redirect(url_for(".login"))


def accounts() -> Accounts:
    return current_app.extensions["accounts"]


def ask_for_code(account: Account) -> Page:
    """Remember who gave the right password; that alone logs nobody in."""
    session.clear()
    session["half_way"] = account.name
    return redirect(url_for(".code" if account.enrolled else ".enroll"))


def who_gave_the_password() -> Account | None:
    return accounts().get(session["half_way"]) if "half_way" in session else None


def check_code(account: Account, template: str, **shown: str) -> Page:
    if request.method == "GET":
        return render_template(template, name=account.name, **shown)
    if not accounts().accept_code(account, request.form["code"].replace(" ", "")):
        return render_template(template, name=account.name, error="This code is not accepted.", **shown), 401
    session.clear()
    session["name"] = account.name
    return redirect(url_for(".home"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:  # and with it the accounts are gone when the app stops
        create_app(Accounts(Path(folder) / "accounts.sqlite3")).run()
