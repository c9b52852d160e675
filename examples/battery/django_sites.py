"""A Django site in the test process, without a port; one in each process, as Django has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connections
from django.test.utils import setup_test_environment, teardown_test_environment


@contextmanager
def running_site(settings: str, database: Path) -> Iterator[None]:
    """Set a site up; its database is a file, so that each thread of a race has a connection of its own."""
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    django.setup()
    connections["default"].settings_dict["NAME"] = database
    setup_test_environment()
    call_command("migrate", verbosity=0)
    yield
    teardown_test_environment()
    connections.close_all()
