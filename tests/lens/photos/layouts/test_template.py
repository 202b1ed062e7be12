"""Templates (LENS_LAYOUT): what they say of a key, and what is wrong with a wrong one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lens.errors import UsageError
from lens.photos.layouts.template import Parts, parse_template


@pytest.mark.parametrize(
    ("template", "key", "item", "category", "variant"),
    [
        ("{category}/{item}/*", "MEN/Tees/A1/x.jpg", "A1", "MEN/Tees", ""),
        ("{category}/{item}/*", "img/MEN/A1/x.jpg", "A1", "MEN", ""),
        ("{category}/{item}/*", "A1/x.jpg", "A1", "", ""),
        ("{category}/{item}/{variant}/*", "MEN/Tees/A1/red/1.jpg", "A1", "MEN/Tees", "red"),
        ("{item}/{variant}/*", "A1/red/1.jpg", "A1", "", "red"),
        ("{category}/{item}_*", "MEN/Tees/A_1_front.jpg", "A_1", "MEN/Tees", ""),
        ("{category}/{item}_*", "A1_2.jpg", "A1", "", ""),
        ("{category}/{item}_*", "MEN/A1.jpg", "A1", "MEN", ""),
        ("{category}/{item}", "MEN/A1_1.jpg", "A1_1", "MEN", ""),
        ("{item}_{variant}_*", "A_1_red_2.jpg", "A_1", "", "red"),
        ("{item}_{variant}_*", "A1_red.jpg", "A1", "", "red"),
        ("{category}/{item}-{variant}/*", "MEN/A-1-red/x.png", "A-1", "MEN", "red"),
        ("products/*/{item}.*", "products/2024/A1.front.jpg", "A1", "", ""),
        ("a+(b)/{item}/*", "a+(b)/A1/x.jpg", "A1", "", ""),
    ],
)
def test_a_template_tells_product_category_and_variant(
    template: str, key: str, item: str, category: str, variant: str
) -> None:
    assert parse_template(template).parts(key) == Parts(item, category, variant)


@pytest.mark.parametrize(
    ("template", "key"),
    [("{item}/*", "MEN/A1/x.jpg"), ("{item}/*", "x.jpg"), ("a/{item}/*", "b/A1/x.jpg")],
)
def test_a_key_that_does_not_fit_is_told_nothing_of(template: str, key: str) -> None:
    assert parse_template(template).parts(key) is None


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{category}/*", "it lacks {item}"),
        ("{sku}_*", "{sku} is none of its parts: there are {category} {item} {variant}"),
        ("{items}_*", "did you mean {item}?"),
        ("{item}/{item}_*", "{item} should be there once"),
        ("/{item}/*", "neither begin nor end with /"),
        ("{item}/", "neither begin nor end with /"),
        ("{item}_*.jpg", "without its suffix"),
        ("{category}-{item}/*", "{category} should be a folder"),
        ("{item}_{category}", "{category} should be a folder"),
        ("{item}{variant}_*", "something should stand between"),
        ("{item", "'{' is not closed"),
        ("item}_*", "'}' is lost"),
    ],
)
def test_a_wrong_template_is_told_what_is_wrong(template: str, why: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_template(template)
    assert str(error.value).startswith(f"LENS_LAYOUT={template!r}: ")
    assert why in str(error.value)
    assert "{category}/{item}_*" in str(error.value)


@given(st.text("{}*_/-.aceimortgvn ", max_size=25), st.text("ab/_1.", max_size=20))
def test_any_text_is_a_template_or_a_usage_error(template: str, key: str) -> None:
    try:
        parsed = parse_template(template)
    except UsageError:
        return
    found = parsed.parts(key + "x.jpg")
    assert found is None or found.item


names = st.text("abcXYZ019-", min_size=1, max_size=8)


@given(st.lists(names, max_size=3), names, names, names)
def test_what_was_put_together_is_taken_apart(
    folders: list[str], item: str, variant: str, view: str
) -> None:
    key = "/".join([*folders, item, f"{variant}_{view}.jpg"])
    found = parse_template("{category}/{item}/{variant}_*").parts(key)
    if folders[:1] != ["img"]:
        assert found == Parts(item, "/".join(folders), variant)
