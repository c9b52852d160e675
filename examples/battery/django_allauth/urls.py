"""allauth's pages, and one of the site's own that asks for a login."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", login_required(lambda request: HttpResponse(f"Welcome, {request.user}")), name="home"),
]
