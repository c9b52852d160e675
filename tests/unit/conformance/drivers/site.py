"""A site with a password form, a code form and a page for those who are logged in, as frameworks make them."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

PAGE = "<!doctype html><title>{title}</title>{body}"
PASSWORD_FORM = """
  <form action="/session" method="post">
    <input type="hidden" name="csrf" value="{csrf}"><input name="name"><input name="password" type="password">
    <button>Log in</button>
  </form>
"""
CODE_FORM = """
  <p role="alert">{alert}</p>
  <form method="post">
    <input type="hidden" name="csrf" value="{csrf}"><input name="code" inputmode="numeric" maxlength="6" required>
    <button name="do" value="verify">Verify</button><button name="do" value="cancel">Cancel</button>
  </form>
"""


@dataclass
class Session:
    """What the site knows of a visitor."""

    name: str = ""
    inside: bool = False
    csrf: str = field(default_factory=secrets.token_hex)


class Site:
    """The site, a WSGI app: one user, whose right code is 123456; it looks at three wrong codes."""

    def __init__(self) -> None:
        self.password = "ahoy"
        self.sessions: dict[str, Session] = {}
        self.failures = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer a request."""
        request = Request(environ)
        key = request.cookies.get("session", "")
        if key not in self.sessions:
            key = secrets.token_hex()
            self.sessions[key] = Session()
        session = self.sessions[key]
        if request.method == "POST" and request.form["csrf"] != session.csrf:
            response = Response("CSRF", 403)
        else:
            response = getattr(self, request.path.strip("/"), self.missing)(request, session)
        response.set_cookie("session", key, httponly=True)
        return response(environ, start_response)

    def login(self, request: Request, session: Any) -> Any:
        """The password form, and where it is sent."""
        return page("Log in", PASSWORD_FORM, csrf=session.csrf)

    def session(self, request: Request, session: Any) -> Any:
        """Where the password form is sent."""
        if (request.form["name"], request.form["password"]) != ("ada", self.password):
            return page("Log in", PASSWORD_FORM, csrf=session.csrf)
        session.name = "ada"
        return redirect("/code?next=home")

    def code(self, request: Request, session: Any) -> Any:
        """The code form, and where it is sent."""
        if not session.name:
            return redirect("/login")
        alert = ""
        if request.method == "POST":
            if self.failures == 3:
                return page("Code", CODE_FORM, csrf=session.csrf, alert="Too many failures", status=429)
            if request.form["do"] == "verify" and request.form.get("code") == "123456":
                session.inside = True
                return redirect("/home")
            self.failures += 1
            alert = "This code is wrong."
        return page("Code", CODE_FORM, csrf=session.csrf, alert=alert)

    def home(self, request: Request, session: Any) -> Any:
        """The page for those who are logged in."""
        return (
            page("Welcome", "<p id=welcome>Ahoy, {name}</p>", name=session.name)
            if session.inside
            else redirect("/login")
        )

    def missing(self, request: Request, session: Any) -> Any:
        """There is no such page."""
        return Response("There is no such page.", 404)


class InPlace(Site):
    """The same, with its forms at the address that was asked for, whoever asks."""

    def home(self, request: Request, session: Any) -> Any:
        """Whatever the visitor is due."""
        if "password" in request.form:
            session.name = request.form["name"]
        if "code" in request.form:
            session.inside = request.form["code"] == "123456"
        if session.inside:
            return page(
                "Welcome", "<p id=welcome>Ahoy, {name}</p><form><input name=password></form>", name=session.name
            )
        # The page of a session that has given a password greets it.
        form = CODE_FORM if session.name else PASSWORD_FORM.replace("/session", "/home")
        return page("Log in", "<p>{name}</p>" + form, csrf=session.csrf, name=session.name, alert="")


def page(title: str, body: str, status: int = 200, **values: str) -> Response:
    """A page of HTML."""
    return Response(PAGE.format(title=title, body=body.format(**values)), status, mimetype="text/html")


def redirect(path: str) -> Response:
    """A redirect."""
    return Response(status=303, headers={"Location": path})
