"""A stack in use changes from the image to zips, with searches resumed from a snapshot."""

from __future__ import annotations

import pytest

from tests.aws.shop import Shop, eventually, garment

pytestmark = pytest.mark.aws


def test_a_stack_in_use_goes_over_to_zips_and_a_snapshot_and_keeps_its_gallery(shop: Shop) -> None:
    shop.put("packaging/a.jpg", garment(960))
    eventually(lambda: shop.shows(garment(960), "packaging/a.jpg"))
    image = shop.deployment.outputs["SearchFunction"]

    shop.deployment.context |= {"packaging": "snapstart", "image": ""}
    shop.deployment.deploy()

    name = shop.deployment.outputs["SearchFunction"]
    assert name != image  # the packaging of a function cannot be changed: it is a new one
    functions = shop.aws("lambda")
    version = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    # MiniStack takes no snapshot, but like Lambda it starts a version when it is published.
    functions.get_waiter("published_version_active").wait(FunctionName=name, Qualifier=version)
    published = functions.get_function_configuration(FunctionName=name, Qualifier=version)
    assert published["PackageType"] == "Zip"
    assert published["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    assert shop.shows(garment(960), "packaging/a.jpg")


def test_what_is_uploaded_after_the_snapshot_is_embedded_by_a_zip_and_found(shop: Shop) -> None:
    embed = shop.deployment.outputs["EmbedFunction"]
    settings = shop.aws("lambda").get_function_configuration(FunctionName=embed)
    assert settings["PackageType"] == "Zip"
    shop.put("packaging/b.jpg", garment(961))
    eventually(lambda: shop.shows(garment(961), "packaging/b.jpg"))
    shop.remove("packaging/b.jpg")
    eventually(lambda: "packaging/b.jpg" not in shop.found())
