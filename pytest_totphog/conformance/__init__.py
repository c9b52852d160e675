"""The battery: security checks on a login with TOTP, to be pointed at one's own.

Write a `LoginDriver` and a test class that is a `TotpConformance`, and run pytest.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_totphog.conformance.battery import TotpConformance as TotpConformance
    from pytest_totphog.conformance.battery import totp_profile as totp_profile
    from pytest_totphog.conformance.driver import LoginDriver as LoginDriver
    from pytest_totphog.conformance.driver import Outcome as Outcome

_HOMES = {
    "LoginDriver": "driver",
    "Outcome": "driver",
    "TotpConformance": "battery",
    "totp_profile": "battery",
}

__all__ = list(_HOMES)


# As in the package: nothing is imported before it is used, and no `__dir__`.
def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
