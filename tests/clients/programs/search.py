"""Uses the client that openapi-python-client generates: python search.py SERVER KEY PHOTO ITEM"""

import json
import sys
from pathlib import Path

from lens_client import AuthenticatedClient
from lens_client.api.catalog import get_item, get_thumbnail, list_categories
from lens_client.api.health import get_health
from lens_client.api.search import search_image, similar_items
from lens_client.models import (
    BodySearchImage,
    BodySearchImageGroup,
    CategoriesSchema,
    ErrorSchema,
    HealthSchema,
    ItemSchema,
    MatchWord,
    ResultsSchema,
    SimilarSchema,
)
from lens_client.types import File

server, key, photo, item_id = sys.argv[1:]
lens = AuthenticatedClient(base_url=server, token=key, raise_on_unexpected_status=True)

with Path(photo).open("rb") as file:
    body = BodySearchImage(
        file=[File(file, "photo.jpg", "image/jpeg")], top_k=3, group=BodySearchImageGroup.ITEM
    )
    found = search_image.sync(client=lens, body=body)
assert isinstance(found, ResultsSchema), found
first = found.hits[0]
match: MatchWord | None = first.match
# A rank is a number: were hits without a type, mypy would say that this comment is not needed.
rank: str = first.rank  # type: ignore[assignment]
title: str | None = first.product.title if first.product else None

similar = similar_items.sync(item_id, client=lens, top_k=4)
assert isinstance(similar, SimilarSchema), similar
item = get_item.sync(item_id, client=lens)
assert isinstance(item, ItemSchema), item
categories = list_categories.sync(client=lens)
assert isinstance(categories, CategoriesSchema), categories
health = get_health.sync(client=lens)
assert isinstance(health, HealthSchema), health
thumbnail = get_thumbnail.sync(first.photo_id, client=lens, size=90)
assert isinstance(thumbnail, File), thumbnail

missing = get_item.sync("no/such item", client=lens)
assert isinstance(missing, ErrorSchema), missing
refused = search_image.sync_detailed(client=lens, body=BodySearchImage(region="whole"))
assert isinstance(refused.parsed, ErrorSchema), refused

told = {
    "keys": [hit.key for hit in found.hits],
    "image_url": first.image_url,
    "match": match and match.value,
    "title": title,
    "similar": [hit.item_id for hit in similar.hits],
    "photos": [each.key for each in item.photos],
    "categories": {each.category: each.photos for each in categories.categories},
    "status": health.status.value,
    "thumbnail": len(thumbnail.payload.read()),
    "missing": missing.error.code,
    "refused": [int(refused.status_code), refused.parsed.error.code],
}
print(json.dumps(told))
