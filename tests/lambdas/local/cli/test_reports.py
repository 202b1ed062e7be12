"""Reports: a search's hits as JSON, with the product of each where there is one."""

from __future__ import annotations

import json
from decimal import Decimal

from lambdas.local.cli.reports import results_report
from lens.feed.product import Money, Product
from lens.search.products import Sold
from lens.search.results import Hit, Results

HIT = Hit(1, "a", "a/1.jpg", "p", "", 0.5)


def test_a_hit_is_printed_with_its_product_or_without_the_word() -> None:
    sold = Sold(Product("A", title="Shirt", price=Money(Decimal("10.00"), "EUR")))
    results = Results("m", 1, (HIT, Hit(2, "b", "b/1.jpg", "q", "", 0.4, sold=sold)))
    first, second = json.loads(results_report(results, as_json=True))["hits"]
    assert "product" not in first
    assert "sold" not in first
    assert (first["rank"], first["key"]) == (1, "a/1.jpg")
    assert second["product"] == {"id": "A", "title": "Shirt", "price": ["10.00", "EUR"]}
