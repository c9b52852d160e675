"""An app with Flask-Security-Too: its features for this login are switched on, and none of its settings is changed."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from flask_security import MailUtil, Security, SQLAlchemyUserDatastore, auth_required
from flask_security.models import fsqla_v3
from flask_sqlalchemy import SQLAlchemy

database = SQLAlchemy()
fsqla_v3.FsModels.set_db_info(database)


class Role(database.Model, fsqla_v3.FsRoleMixin):
    pass


class User(database.Model, fsqla_v3.FsUserMixin):
    pass


class WebAuthn(database.Model, fsqla_v3.FsWebAuthnMixin):  # the model of a user refers to it
    pass


class Outbox(MailUtil):
    """Keeps mails, where an app would send them."""

    def send_mail(self, template: str, subject: str, recipient: str, sender: Any, body: str, *args: Any, **kwargs: Any):
        current_app.extensions["outbox"].append(body)


def create_app(file: Path) -> Flask:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_hex(),
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{file}",
        SECURITY_PASSWORD_SALT=secrets.token_hex(),
        SECURITY_TOTP_SECRETS={"1": secrets.token_hex()},
        SECURITY_TOTP_ISSUER="Flask-Security-Too",
        # Features.
        SECURITY_TWO_FACTOR=True,
        SECURITY_MULTI_FACTOR_RECOVERY_CODES=True,
        SECURITY_RECOVERABLE=True,
        # This app only ever runs in tests: a fast hash, and nobody asks the DNS whether example.com takes mail.
        SECURITY_PASSWORD_HASH="plaintext",
        SECURITY_PASSWORD_SCHEMES=["plaintext"],
        SECURITY_DEPRECATED_PASSWORD_SCHEMES=[],
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
    )
    app.extensions["outbox"] = []
    database.init_app(app)
    app.security = Security(app, SQLAlchemyUserDatastore(database, User, Role), mail_util_cls=Outbox)
    app.add_url_rule("/", view_func=auth_required("session")(home))
    with app.app_context():
        database.create_all()
    return app


def home() -> str:
    return "Welcome"
