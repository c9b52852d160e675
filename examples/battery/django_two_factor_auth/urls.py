"""django-two-factor-auth's pages, and Django's own password reset, because it brings none."""

from __future__ import annotations

from django.contrib.auth.views import PasswordResetConfirmView, PasswordResetView
from django.urls import include, path
from two_factor.urls import urlpatterns as two_factor

FORGOTTEN = {"template_name": "reset.html", "success_url": "/account/login/"}

urlpatterns = [
    path("", include(two_factor)),
    path("reset/", PasswordResetView.as_view(email_template_name="reset.txt", **FORGOTTEN)),
    path("reset/<uidb64>/<token>/", PasswordResetConfirmView.as_view(**FORGOTTEN), name="password_reset_confirm"),
]
