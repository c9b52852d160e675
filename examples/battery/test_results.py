"""What the battery finds in the three products is what is written down; a release that changes it is noticed here."""

from __future__ import annotations

import json

import pytest
from results import PAGE, PRODUCTS, RESULTS, run, table

WRITTEN = json.loads(RESULTS.read_text("utf-8"))


@pytest.mark.parametrize("product", PRODUCTS)
def test_results_are_as_written(product: str):
    found, written = run(product), WRITTEN[product]

    assert verdicts(found) == verdicts(written), (
        f"found with {found['versions']}, written down with {written['versions']}. Look at it with: pytest "
        f"{PRODUCTS[product][0]}. If it is right, write it down with: python results.py"
    )
    assert found["measured"] == written["measured"]


def verdicts(result: dict) -> dict[str, str]:
    return {rule: finding["verdict"] for rule, finding in result["findings"].items()}


def test_page_shows_what_is_written():
    assert table(WRITTEN) in PAGE.read_text("utf-8")
