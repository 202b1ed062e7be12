"""The summary: one line that says what can be found and what was left out."""

from __future__ import annotations

from lambdas.local.server.summary import summary
from lens.feed.product import Product
from lens.gallery.rows import Kind
from lens.search.serving import Model, Serving
from tests.histories.world import embedder
from tests.support.sold import gallery_with, photo_row


def _model() -> Model:
    return Model(embedder(0, "m"))


def test_before_the_first_model_nothing_is_indexed() -> None:
    assert summary(None) == "nothing is indexed yet"


def test_photos_products_and_what_is_left_out_are_counted() -> None:
    rows = [photo_row("a/1.jpg", "a"), photo_row("a/2.jpg", "a"), photo_row("b/1.jpg", "b")]
    gallery = gallery_with([Product("a"), Product("b"), Product("c")], rows)
    assert summary(Serving(_model(), gallery)) == (
        "3 photos, 2 products, 3 rows in products.csv: lens status"
    )


def test_one_is_said_as_one() -> None:
    rows = [photo_row("a/1.jpg", "a")]
    assert summary(Serving(_model(), gallery_with([], rows))).startswith("1 photo, 1 product,")


def test_a_photo_that_cannot_be_used_is_left_out() -> None:
    bad = photo_row("b/1.jpg", "")._replace(kind=Kind.REJECTION, reason="no photo")
    gallery = gallery_with([], [photo_row("a/1.jpg", "a")])
    recent = gallery.tail["s"]
    assert "left out" not in summary(Serving(_model(), gallery))
    rows = type(recent.rows).of([recent.rows[0], bad])
    worse = type(recent)(rows, recent.vectors)
    told = summary(Serving(_model(), type(gallery)(gallery.commit, None, {}, {"s": worse})))
    assert told == "1 photo, 1 product, 1 left out: lens status"
