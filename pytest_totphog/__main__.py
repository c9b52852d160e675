"""`python -m pytest_totphog` is the command `totphog`."""

import sys

from pytest_totphog.cli import main

sys.exit(main())
