"""The shopper folder: whose photos are asked, what is labeled, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambdas.local.shopper.folder import ShopperFolder
from lens.errors import UsageError
from tests.lambdas.local.shopper.small_folder import MEASURED, TRAINED_ON, write_shoppers_photos


@pytest.fixture
def folder(tmp_path: Path) -> ShopperFolder:
    write_shoppers_photos(tmp_path)
    return ShopperFolder(tmp_path)


def test_a_sender_s_photos_are_of_one_fold_in_whichever_folder_they_lie(
    folder: ShopperFolder,
) -> None:
    measured = folder.photos("measuring")
    assert {photo.sender for photo in measured} == {MEASURED}
    assert sorted(photo.kind for photo in measured) == ["dress", "hat", "pants"]
    assert [photo.sender for photo in folder.photos("training")] == [TRAINED_ON]
    assert folder.photos("probes") == []


def test_labeled_boxes_are_fractions_of_their_photo(folder: ShopperFolder) -> None:
    (path,), (garments,) = zip(*folder.street().items(), strict=True)
    assert path.name == "one.png"
    assert [garment.kind for garment in garments] == ["coat", "jeans", "skirt"]
    assert garments[0].box == (0.0, 0.0, 0.5, 0.5)


def test_backgrounds_are_one_kind_of_photo_without_a_garment(folder: ShopperFolder) -> None:
    found = folder.negatives()
    assert {kind: len(paths) for kind, paths in found.items()} == {"backgrounds": 3, "text": 1}


def test_no_negatives_folder_is_needed(folder: ShopperFolder) -> None:
    (folder.root / "negatives/text/a.png").unlink()
    assert list(folder.negatives()) == ["backgrounds"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("mapping.json", '{"kinds": {"dress": 3}}', "mapping.json: kinds.dress: "),
        ("mapping.json", "{", "mapping.json: "),
        ("street/boxes.json", '{"one.png": [{"kind": "coat"}]}', "one.png.0.categories"),
        ("street/boxes.json", '{"two.png": []}', "cannot read "),
        ("photos.csv", "file,who\na,b\n", "no columns file and sender"),
    ],
)
def test_a_file_that_cannot_be_understood_is_named(
    name: str, text: str, message: str, folder: ShopperFolder
) -> None:
    (folder.root / name).write_text(text)
    with pytest.raises(UsageError) as raised:
        folder.mapping(), folder.street(), folder.photos("measuring")
    assert message in str(raised.value)


def test_a_folder_that_is_none_is_said_to_be_the_wrong_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--shopper names a folder of shoppers' photos"):
        ShopperFolder(tmp_path / "nowhere").mapping()
    with pytest.raises(UsageError, match="composites need some"):
        ShopperFolder(tmp_path).backgrounds()
