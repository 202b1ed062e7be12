"""Addresses: where a reply says that a photo, its thumbnail and its product are."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urljoin

from starlette.requests import Request

from lambdas.search.viewer import ORIGIN
from lens.feed.pictures import picture_in
from lens.settings import Settings


@dataclass(frozen=True)
class Addresses:
    """What addresses begin with, for one caller."""

    photos: str
    pictures: str  # photos that were fetched for the product file
    thumbs: str
    shop: str  # empty: not known

    def photo(self, key: str) -> str:
        """The address of the photo with this key."""
        return f"{self.pictures if picture_in(key) else self.photos}{quote(key)}"

    def thumb(self, photo_id: str) -> str:
        """The address of a photo's thumbnail."""
        return f"{self.thumbs}{photo_id}"

    def product(self, link: str) -> str:
        """The address of a product, whose link may be a path in the shop; empty: not known."""
        if not link.startswith("/"):
            return link
        return f"{self.shop}{link}" if self.shop else ""


def addresses_for(request: Request, settings: Settings) -> Addresses:
    """Paths for the page that this server sent, whole addresses for everybody else.

    They begin with `settings.public_url`, else with the name that the caller itself used. A caller
    who lies about that name is the only one to see it, because no reply with addresses is stored.
    """
    base = _base(request, settings)
    prefixes = settings.image_url, settings.picture_url, settings.thumb_url
    photos, pictures, thumbs = (urljoin(base, prefix) for prefix in prefixes)
    return Addresses(photos, pictures, thumbs, settings.shop_url)


def _base(request: Request, settings: Settings) -> str:
    """Empty where an address must stay a path."""
    # Browsers alone send this, and no page can change it. The page stays with paths because its
    # policy lets it load from its own origin alone, by whichever name it was opened.
    if request.headers.get("sec-fetch-site") == "same-origin":
        return ""
    if settings.public_url:
        return settings.public_url
    return str(request.scope.get(ORIGIN, request.base_url))
