"""Schemas: the JSON of the HTTP API, with examples for its OpenAPI page."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import TypeAliasType

from lambdas.search.addresses import Addresses
from lambdas.search.product_schemas import (
    FacetsSchema,
    ProductSchema,
    facets_schema,
    product_schema,
)
from lambdas.search.schema import Schema
from lens.gallery.gallery import Gallery
from lens.gallery.rows import Row
from lens.models.regions import Box, RegionKind
from lens.photos.opening import ACCEPTED
from lens.search.matching import Word
from lens.search.results import Hit, Results

_PHOTO = "2f1c7a0d9b3e4c55a1f0c7d2e8b94613"
_KEY = "img/WOMEN/Dresses/id_00000012/01_1_front.jpg"
_BOX: Box = (0.2134, 0.1042, 0.7861, 0.8875)

# Of every answer to a search.
_MODEL_ID = Field(examples=["efficientnet-lite0-color-5b1f6c20e9aa"])
_COMMIT = Field(description="the gallery's state", examples=[17])
_SEARCH_ID = Field(
    description="by which a click on a product names this search; null: searches are not kept, "
    "or this is a later page",
    examples=["Zk3vJ0uQx2Yb7PfA"],
)
_CURSOR = Field(
    description="send it with the same request for the next page; null: this is the last",
    examples=["AQABfaJ4e7w2IQ1z_CvOGy-aEsuTq7Zk"],
)
_FACETS = Field(description="null: not asked for")


# With a name of its own, so that generated clients have one type for it.
MatchWord = TypeAliasType("MatchWord", Word)


class PhotoSchema(Schema):
    """One photo of the catalog."""

    item_id: str = Field(examples=["id_00000012"])
    key: str = Field(description="its name in the catalog", examples=[_KEY])
    photo_id: str = Field(description="hash of its bytes", examples=[_PHOTO])
    category: str = Field(examples=["WOMEN/Dresses"])
    image_url: str = Field(examples=[f"https://lens.shop.example/catalog/{_KEY}"])
    thumb_url: str = Field(examples=[f"https://lens.shop.example/api/thumb/{_PHOTO}"])


class HitSchema(PhotoSchema):
    """One result."""

    rank: int = Field(description="from 1", examples=[1])
    similarity: float = Field(description="inner product of unit vectors", examples=[0.9132])
    exact: bool = Field(
        description="a photo that was sent is this one, or a copy", examples=[False]
    )
    match: MatchWord | None = Field(
        description="how like the query it is; null: not known", examples=["very_similar"]
    )
    product: ProductSchema | None = Field(description="null: not in the shop's product file")
    face: PhotoSchema | None = Field(
        description="the photo that the product file names first; null: this one, or not known"
    )


class RegionSchema(Schema):
    """A garment seen in the photo."""

    box: Box = Field(
        description="x0, y0, x1, y1 as fractions of the upright photo", examples=[_BOX]
    )
    confidence: float = Field(description="0 to 1", examples=[0.9312])
    kind: RegionKind = Field(examples=["one_piece"])


class ResultsSchema(Schema):
    """The answer to a search; empty until there is a gallery."""

    model_id: str | None = _MODEL_ID
    commit: int | None = _COMMIT
    hits: list[HitSchema]
    regions: list[RegionSchema] = Field(
        description="what is seen in the first photo, the surest first"
    )
    region: Box | None = Field(
        description="the box that was searched for; null: the whole photo", examples=[_BOX]
    )
    match_probability: float | None = Field(
        description="that the photo shows a garment whose like is here; null: not known, as of "
        "several photos and examples",
        examples=[0.9421],
    )
    match: MatchWord | None = Field(
        description="how like it the most similar hit is: none where that is less than 1/2",
        examples=["same"],
    )
    explained: bool = Field(
        description="whether `/api/why` can tell why a hit is like the photo", examples=[True]
    )
    search_id: str | None = _SEARCH_ID
    cursor: str | None = _CURSOR
    facets: FacetsSchema | None = _FACETS


class ItemSchema(Schema):
    """An item and all its photos."""

    item_id: str = Field(examples=["id_00000012"])
    category: str = Field(examples=["WOMEN/Dresses"])
    photos: list[PhotoSchema]
    product: ProductSchema | None = Field(description="null: not in the shop's product file")


class SimilarSchema(Schema):
    """What is similar to an item, a photo of each other item."""

    item_id: str = Field(description="the item that was asked for", examples=["id_00000012"])
    model_id: str | None = _MODEL_ID
    commit: int | None = _COMMIT
    hits: list[HitSchema]
    search_id: str | None = _SEARCH_ID
    cursor: str | None = _CURSOR
    facets: FacetsSchema | None = _FACETS


class CategorySchema(Schema):
    """A category and one of its photos."""

    category: str = Field(examples=["WOMEN/Dresses"])
    photos: int = Field(examples=[35])
    photo: PhotoSchema


class CategoriesSchema(Schema):
    """The catalog's categories, by name."""

    categories: list[CategorySchema]


REQUEST_ID = "4f0c2d9a6b1e8357"  # an example


class ErrorBody(Schema):
    """What went wrong and what to do."""

    code: str = Field(examples=["not_an_image"])
    message: str = Field(examples=[f"this is not a photo; send a {ACCEPTED} file"])
    request_id: str = Field(
        description="of this request, as the header X-Request-Id and the server's log have it",
        examples=[REQUEST_ID],
    )


class ErrorSchema(Schema):
    """Every error's reply."""

    error: ErrorBody


def photo_schema(row: Row, addresses: Addresses) -> PhotoSchema:
    """A row as JSON."""
    return PhotoSchema(**_photo(row, addresses))


def categories_schema(gallery: Gallery | None, addresses: Addresses) -> CategoriesSchema:
    """A gallery's categories as JSON."""
    examples = gallery.examples if gallery else {}
    counts = gallery.categories if gallery else {}
    categories = [
        CategorySchema(category=name, photos=counts[name], photo=photo_schema(row, addresses))
        for name, row in examples.items()
    ]
    return CategoriesSchema(categories=categories)


def results_schema(
    results: Results, addresses: Addresses, search_id: str | None = None
) -> ResultsSchema:
    """Results as JSON."""
    return ResultsSchema(
        **_found(results, addresses, search_id),
        regions=[
            RegionSchema(box=region.box, confidence=round(region.confidence, 4), kind=region.kind)
            for region in results.regions
        ],
        region=results.region,
        match_probability=results.match_probability,
        match=results.match,
        explained=results.explained,
    )


def similar_schema(
    item_id: str, results: Results, addresses: Addresses, search_id: str | None = None
) -> SimilarSchema:
    """What is similar to an item, as JSON."""
    return SimilarSchema(item_id=item_id, **_found(results, addresses, search_id))


def _found(results: Results, addresses: Addresses, search_id: str | None) -> dict[str, Any]:
    return {
        "model_id": results.model_id,
        "commit": results.commit,
        "hits": _hits(results, addresses),
        "search_id": search_id,
        "cursor": str(results.cursor) if results.cursor else None,
        "facets": facets_schema(results.facets),
    }


def _hits(results: Results, addresses: Addresses) -> list[HitSchema]:
    return [
        HitSchema(
            **_photo(hit, addresses),
            rank=hit.rank,
            similarity=round(hit.similarity, 6),
            exact=hit.exact,
            match=hit.match,
            product=product_schema(hit.sold, addresses),
            face=photo_schema(hit.face, addresses) if hit.face else None,
        )
        for hit in results.hits
    ]


def _photo(photo: Row | Hit, addresses: Addresses) -> dict[str, Any]:
    return {
        "item_id": photo.item_id,
        "key": photo.key,
        "photo_id": photo.photo_id,
        "category": photo.category,
        "image_url": addresses.photo(photo.key),
        "thumb_url": addresses.thumb(photo.photo_id),
    }
