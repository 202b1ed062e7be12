"""Labeling and what is read of it: drawn photos, labeled by stand-ins for the teachers.

Covers: labeling, material, shopper_photos, pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from lens.errors import LensError, UsageError
from tests.sagemaker_training.garment.drawn import (
    FIGURE,
    TORSO,
    draw_catalog,
    draw_shoppers,
)
from tests.sagemaker_training.garment.small import write_teachers
from training.garment.label_folder import SIDE, LabelFolder
from training.garment.labeling import label_photos
from training.garment.labels import KINDS, PLACES
from training.garment.material import read_material
from training.garment.pictures import read_photo, reduced
from training.garment.shopper_photos import training_photos
from training.garment.teachers import Pose, Saliency


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return draw_catalog(tmp_path / "catalog", train=3, test=1)


@pytest.fixture
def shopper(tmp_path: Path) -> Path:
    return draw_shoppers(tmp_path / "shopper")


Labels = Callable[..., bool]


@pytest.fixture
def label(catalog: Path, shopper: Path, tmp_path: Path) -> Iterator[Labels]:
    """Label both folders into labels/."""
    teachers = write_teachers(tmp_path / "teachers")
    saliency = Saliency(teachers)
    with Pose(teachers) as pose:

        def run(stopping: Callable[[], bool] = lambda: False) -> bool:
            output = tmp_path / "labels"
            return label_photos(
                catalog,
                shopper,
                output,
                saliency=saliency,
                pose=pose,
                say=lambda text: None,
                stopping=stopping,
            )

        yield run


def test_labels_become_photos_with_the_boxes_that_were_drawn(
    label: Labels, catalog: Path, shopper: Path, tmp_path: Path
) -> None:
    assert label()
    material = read_material(tmp_path / "labels", catalog, shopper)
    # Two colors of each of the three items of the train part; five of six photos of shoppers.
    assert [photo.item for photo in material.catalog] == [0, 0, 1, 1, 2, 2]
    assert [photo.color for photo in material.catalog] == [0, 1, 2, 3, 4, 5]
    assert len(material.shoppers) == 5 and len(material.backgrounds) == 4
    assert {photo.item for photo in material.shoppers} == {-1}
    top = material.catalog[2]  # in the order of keys, Pants before Tops
    scale = SIDE / FIGURE[1]
    (place, box), (second, _) = top.places
    assert (PLACES[place], PLACES[second]) == ("upper", "lower")
    assert np.abs(np.array(box) - np.array((*TORSO[:3], 242)) * scale).max() < 2
    assert top.image.shape == (288, 216, 3) and top.mask is not None
    assert {KINDS[i] for i in np.flatnonzero(top.kinds)} == {"longsleeve", "shirt", "t-shirt"}
    flat = material.shoppers[0]
    ((place, box),) = flat.places
    assert flat.mask is not None and flat.mask is not flat.image and not flat.worn
    assert np.abs(np.array(box) - np.array((60, 80, 180, 240)) * SIDE / 320).max() < 2
    assert (
        PLACES[place]
        == {"dress": "one_piece", "pants": "lower", "t-shirt": "upper"}[
            KINDS[int(np.flatnonzero(flat.kinds)[0])]
        ]
    )


def test_labeling_that_was_stopped_goes_on_where_it_was(label: Labels, tmp_path: Path) -> None:
    asked = iter([False, False, True])
    assert not label(lambda: next(asked))
    folder = LabelFolder(tmp_path / "labels")
    first = folder.labels()
    assert len(first) == 3
    assert label()
    everything = folder.labels()
    # Test items too (another partition may train on them), but no sender who is measured.
    assert len(everything) == 8 + 5 and list(everything)[:3] == list(first)
    lines = (tmp_path / "labels/labels.jsonl").read_bytes()
    assert label() and (tmp_path / "labels/labels.jsonl").read_bytes() == lines


def test_who_is_in_a_photo_wears_it_and_then_nothing_is_known(
    label: Labels, shopper: Path, tmp_path: Path
) -> None:
    path = shopper / "train/t-shirt/0.png"
    pixels = np.asarray(Image.open(path)).copy()
    pixels[0] = 255  # the stand-in sees somebody
    Image.fromarray(pixels).save(path)
    assert label()
    found = LabelFolder(tmp_path / "labels").labels()["shopper", "train/t-shirt/0.png"]
    assert found.worn and found.places == () and found.mask is None and found.unsure == PLACES


def test_a_broken_photo_is_named(label: Labels, shopper: Path) -> None:
    (shopper / "train/dress/2.png").write_text("no photo")
    with pytest.raises(UsageError, match=r"2\.png cannot be used"):
        label()


def test_scenes_are_backgrounds_too_and_surfaces_count_twice(
    label: Labels, catalog: Path, shopper: Path, tmp_path: Path
) -> None:
    label()
    (tmp_path / "scenes").mkdir()
    Image.new("RGB", (900, 600), (1, 2, 3)).save(tmp_path / "scenes/a.jpg")
    (tmp_path / "scenes/notes.txt").touch()
    material = read_material(tmp_path / "labels", catalog, shopper, tmp_path / "scenes")
    assert material.backgrounds[0].shape == (512, 768, 3)
    assert len(material.backgrounds) == 1 + 2 * 2  # of three surfaces, the first and the last


def test_photos_that_are_not_those_that_were_labeled_are_refused(
    label: Labels, catalog: Path, shopper: Path, tmp_path: Path
) -> None:
    label()
    path = shopper / "train/t-shirt/0.png"
    Image.open(path).resize((320, 320)).save(path)
    with pytest.raises(UsageError, match="is not the photo that was labeled"):
        read_material(tmp_path / "labels", catalog, shopper)


def test_folders_without_what_is_needed_are_told(
    catalog: Path, shopper: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="has no labels: run"):
        read_material(tmp_path / "nothing", catalog, shopper)
    with pytest.raises(UsageError, match=r"cannot read .*photos\.csv"):
        training_photos(catalog)
    (shopper / "photos.csv").write_text("file,label\na.jpg,Shirt\n")
    with pytest.raises(UsageError, match="no columns file and sender"):
        training_photos(shopper)


def test_things_are_cut_outs_and_one_that_is_opaque_is_refused(
    label: Labels, catalog: Path, shopper: Path, tmp_path: Path
) -> None:
    label()
    (tmp_path / "things").mkdir()
    thing = Image.new("RGBA", (500, 250), (0, 200, 0, 0))
    thing.paste((0, 200, 0, 255), (50, 50, 200, 200))
    thing.save(tmp_path / "things/pear.png")
    folders = (tmp_path / "labels", catalog, shopper)
    material = read_material(*folders, things=tmp_path / "things")
    assert [each.shape for each in material.things] == [(192, 384, 4)]
    assert material.describe()["things"] == 1
    Image.new("RGB", (50, 50)).save(tmp_path / "things/wall.png")
    with pytest.raises(UsageError, match=r"wall\.png is opaque everywhere: a thing is cut out"):
        read_material(*folders, things=tmp_path / "things")


def test_labels_of_another_catalog_are_no_material(
    label: Labels, shopper: Path, tmp_path: Path
) -> None:
    label()
    other = draw_catalog(tmp_path / "other", train=0, test=2)
    with pytest.raises(UsageError, match="labels of 0 items to train on and of 5 photos"):
        read_material(tmp_path / "labels", other, shopper)


def test_a_picture_is_made_smaller_and_never_larger() -> None:
    assert reduced(Image.new("RGB", (500, 1000)), 288).size == (144, 288)
    assert reduced(Image.new("RGB", (3000, 2)), 288).size == (288, 1)
    assert reduced(Image.new("RGB", (50, 80)), 288).size == (50, 80)
    with pytest.raises(LensError, match=r"missing\.jpg cannot be used"):
        read_photo(Path("missing.jpg"))
