from django.contrib.auth import authenticate, login
from django.http import HttpResponse
from django.urls import path
from django_otp import login as login_with_device
from django_otp import match_token


def log_in(request):
    """Log in with user name, password and code; a code works once, which django-otp sees to."""
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    device = user and match_token(user, request.POST["code"])
    if not device:
        return HttpResponse("Invalid user name, password or code", status=403)
    login(request, user)
    login_with_device(request, device)
    return HttpResponse(f"Welcome, {user.username}")


def home(request):
    inside = request.user.is_authenticated and request.user.is_verified()
    return HttpResponse("Your orders" if inside else "Log in first")


urlpatterns = [path("login/", log_in), path("", home)]
