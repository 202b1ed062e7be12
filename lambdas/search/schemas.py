"""Schemas: the JSON of the HTTP API, with examples for its OpenAPI page."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from lambdas.search.addresses import Addresses
from lens.feed.product import Availability, Money, Product
from lens.gallery.gallery import Gallery
from lens.gallery.rows import Row
from lens.models.regions import Box, RegionKind
from lens.photos.decoding import ACCEPTED
from lens.search.matching import Word
from lens.search.products import Sold
from lens.search.results import Hit, Results

_PHOTO = "2f1c7a0d9b3e4c55a1f0c7d2e8b94613"
_KEY = "img/WOMEN/Dresses/id_00000012/01_1_front.jpg"
_BOX: Box = (0.2134, 0.1042, 0.7861, 0.8875)


# With names of their own, so that generated clients have one type for each.
MatchWord = TypeAliasType("MatchWord", Word)
Stock = TypeAliasType("Stock", Availability)


class Schema(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


class PhotoSchema(Schema):
    """One photo of the catalog."""

    item_id: str = Field(examples=["id_00000012"])
    key: str = Field(description="its name in the catalog", examples=[_KEY])
    photo_id: str = Field(description="hash of its bytes", examples=[_PHOTO])
    category: str = Field(examples=["WOMEN/Dresses"])
    image_url: str = Field(examples=[f"https://lens.shop.example/catalog/{_KEY}"])
    thumb_url: str = Field(examples=[f"https://lens.shop.example/api/thumb/{_PHOTO}"])


class MoneySchema(Schema):
    """An amount of money, as exact as the product file has it."""

    amount: str = Field(examples=["25.00"])
    currency: str = Field(description="ISO 4217; empty: not said", examples=["EUR"])


class VariantSchema(Schema):
    """What has a price and a stock of its own; empty and null where the product file is silent."""

    id: str = Field(description="the shop's own", examples=["MJ08-M-Blue"])
    link: str = Field(examples=["https://shop.example/mj08?size=M"])
    price: MoneySchema | None
    sale_price: MoneySchema | None
    availability: Stock | None = Field(examples=["in_stock"])
    color: str = Field(examples=["Blue"])
    size: str = Field(examples=["M"])


class ProductSchema(VariantSchema):
    """What a photo shows, as the shop sells it; the fields are Google Merchant's."""

    title: str = Field(examples=["Lando Gym Jacket"])
    brand: str = Field(examples=["Lando"])
    item_group_id: str = Field(description="what its variants share", examples=["MJ08"])
    variants: list[VariantSchema] = Field(description="all of the item's, itself too; at most 100")


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


class RegionSchema(Schema):
    """A garment seen in the photo."""

    box: Box = Field(
        description="x0, y0, x1, y1 as fractions of the upright photo", examples=[_BOX]
    )
    confidence: float = Field(description="0 to 1", examples=[0.9312])
    kind: RegionKind = Field(examples=["one_piece"])


class ResultsSchema(Schema):
    """The answer to a search; empty until there is a gallery."""

    model_id: str | None = Field(examples=["efficientnet-lite0-color-5b1f6c20e9aa"])
    commit: int | None = Field(description="the gallery's state", examples=[17])
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
        description="how like it the first hit is: none where that is less than 1/2",
        examples=["same"],
    )
    search_id: str | None = Field(
        description="by which a click on a product names this search; null: searches are not kept",
        examples=["Zk3vJ0uQx2Yb7PfA"],
    )


class ItemSchema(Schema):
    """An item and all its photos."""

    item_id: str = Field(examples=["id_00000012"])
    category: str = Field(examples=["WOMEN/Dresses"])
    photos: list[PhotoSchema]
    product: ProductSchema | None = Field(description="null: not in the shop's product file")


class SimilarSchema(Schema):
    """What is similar to an item, a photo of each other item."""

    item_id: str = Field(description="the item that was asked for", examples=["id_00000012"])
    model_id: str | None = Field(examples=["efficientnet-lite0-color-5b1f6c20e9aa"])
    commit: int | None = Field(description="the gallery's state", examples=[17])
    hits: list[HitSchema]
    search_id: str | None = Field(
        description="by which a click on a product names this search; null: searches are not kept",
        examples=["Zk3vJ0uQx2Yb7PfA"],
    )


class CategorySchema(Schema):
    """A category and one of its photos."""

    category: str = Field(examples=["WOMEN/Dresses"])
    photos: int = Field(examples=[35])
    photo: PhotoSchema


class CategoriesSchema(Schema):
    """The catalog's categories, by name."""

    categories: list[CategorySchema]


class ErrorBody(Schema):
    """What went wrong and what to do."""

    code: str = Field(examples=["not_an_image"])
    message: str = Field(examples=[f"this is not a photo; send a {ACCEPTED} file"])


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
        model_id=results.model_id,
        commit=results.commit,
        hits=_hits(results, addresses),
        regions=[
            RegionSchema(box=region.box, confidence=round(region.confidence, 4), kind=region.kind)
            for region in results.regions
        ],
        region=results.region,
        match_probability=results.match_probability,
        match=results.match,
        search_id=search_id,
    )


def similar_schema(
    item_id: str, results: Results, addresses: Addresses, search_id: str | None = None
) -> SimilarSchema:
    """What is similar to an item, as JSON."""
    return SimilarSchema(
        item_id=item_id,
        model_id=results.model_id,
        commit=results.commit,
        hits=_hits(results, addresses),
        search_id=search_id,
    )


def _hits(results: Results, addresses: Addresses) -> list[HitSchema]:
    return [
        HitSchema(
            **_photo(hit, addresses),
            rank=hit.rank,
            similarity=round(hit.similarity, 6),
            exact=hit.exact,
            match=hit.match,
            product=product_schema(hit.sold),
        )
        for hit in results.hits
    ]


def product_schema(sold: Sold | None) -> ProductSchema | None:
    """What is sold, as JSON."""
    return _product(sold) if sold else None


def _product(sold: Sold) -> ProductSchema:
    product = sold.product
    return ProductSchema(
        **_variant(product),
        title=product.title,
        brand=product.brand,
        item_group_id=product.item_group_id,
        variants=[VariantSchema(**_variant(each)) for each in sold.variants],
    )


def _variant(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "link": product.link,
        "price": _money(product.price),
        "sale_price": _money(product.sale_price),
        "availability": product.availability,
        "color": product.color,
        "size": product.size,
    }


def _money(money: Money | None) -> MoneySchema | None:
    return MoneySchema(amount=str(money.amount), currency=money.currency) if money else None


def _photo(photo: Row | Hit, addresses: Addresses) -> dict[str, Any]:
    return {
        "item_id": photo.item_id,
        "key": photo.key,
        "photo_id": photo.photo_id,
        "category": photo.category,
        "image_url": addresses.photo(photo.key),
        "thumb_url": addresses.thumb(photo.photo_id),
    }
