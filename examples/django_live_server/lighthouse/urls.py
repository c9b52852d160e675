"""The pages: a login with two steps, password and code, and a home page for those who have taken both."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.generic import TemplateView
from django_otp.decorators import otp_required
from django_otp.views import LoginView as CodeView

urlpatterns = [
    path("", otp_required(TemplateView.as_view(template_name="home.html")), name="home"),
    path("login/", LoginView.as_view(template_name="login.html"), name="login"),
    # Who has given the password is asked here for the code alone, and django-otp verifies it.
    path("code/", login_required(CodeView.as_view(template_name="code.html")), name="code"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
