"""The fallback: whatever is damaged, a warm searcher goes on, and a cold one serves the newest
whole commit without what was deleted since."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from lens.errors import ArtifactError, DamagedError, FilterError, MissingError, StorageError
from lens.feed.filter import parse_filter
from lens.gallery import retention
from lens.gallery.assortment import Entry, Products
from lens.gallery.commits import ProductsRef, advance_head, commit_key, head_key
from lens.gallery.current import KEY
from lens.gallery.product_tables import ProductsManifest, write_look, write_table
from lens.gallery.segments import segment_key
from lens.models.beside import beside_key
from lens.models.calibration import Calibration, write_calibration
from lens.models.manifest import manifest_key, network_key
from lens.pipeline.compact import fold
from lens.pipeline.rollback import rollback
from lens.search.searcher import Searcher
from lens.search.wanted import Wanted
from lens.storage import FileStorage
from lens.storage.formats import announce_format
from tests.support.small_galleries import DAY, DIM, add, gone, head, make_live, photo, write
from tests.support.tiny_model import png, write_tiny_model


class Place:
    """Artifacts whose gallery has a snapshot with a, b and c, and a tail: d, the end of a, e."""

    def __init__(self, storage: FileStorage, now: float) -> None:
        self.storage, self.now = storage, now
        announce_format(storage, 0.0)  # so that documents have checksums
        self.model = write_tiny_model(storage)
        self.id = self.model.model_id
        make_live(storage, self.id)
        for number, key in enumerate("abc"):
            self.add(photo(key, str(number), at=now - 10))
        fold(storage, head(storage, self.id), now=now)
        self.add(photo("d", "3", at=now - 9))
        self.add(gone("a", "4", at=now - 8))
        self.add(photo("e", "5", at=now - 7))

    def add(self, *rows: object) -> None:
        add(self.storage, *rows, model_id=self.id, now=self.now)  # type: ignore[arg-type]

    def keys(self, searcher: Searcher) -> str:
        """What can be found."""
        return "".join(sorted(hit.key for hit in searcher.search(png(1)).hits))

    def cold(self) -> tuple[str, Searcher]:
        searcher = Searcher(self.storage)
        return self.keys(searcher), searcher

    def damage(self, key: str, data: bytes | None = b"") -> None:
        path = self.storage.root / key
        path.chmod(0o644)
        if data is None:
            path.unlink()
        else:
            path.write_bytes(data)

    def segment(self, number: int) -> str:
        """The key of a segment of the tail."""
        return segment_key(self.id, head(self.storage, self.id).segments[number].id)

    def snapshot(self, name: str) -> str:
        snapshot = head(self.storage, self.id).snapshot
        assert snapshot is not None
        return f"snapshots/{self.id}/{snapshot.id}/{name}"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    # However slow the machine is: each search waits for what is loaded, and tries again.
    monkeypatch.setattr("lens.search.searcher._PATIENCE_SECONDS", 600.0)
    monkeypatch.setattr("lens.search.searcher._AT_ONCE", float("inf"))
    return Place(FileStorage(tmp_path), 4_000_000_000.0)


HOWS: dict[str, Callable[[bytes], bytes | None]] = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "missing": lambda data: None,
    "a bit": lambda data: bytes(
        byte ^ 0x10 if place == len(data) // 2 else byte for place, byte in enumerate(data)
    ),
}
# What a cold searcher finds; None: nothing, and the error names `lens repair`.
KINDS: dict[str, tuple[Callable[[Place], str], str | None]] = {
    "current": (lambda p: KEY, "bcde"),
    "head": (lambda p: head_key(p.id), "bcde"),
    "first of the tail": (lambda p: p.segment(0), "bc"),
    "newest of the tail": (lambda p: p.segment(2), "bcd"),
    "snapshot": (lambda p: p.snapshot("manifest.json"), "bc"),
    "rows": (lambda p: p.snapshot("rows.npz"), "bc"),
    "vectors": (lambda p: p.snapshot("vectors.npy"), "bc"),
    "network": (lambda p: network_key(p.model), None),
    "model": (lambda p: manifest_key(p.id), None),
}


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_damaged_the_rest_is_served_and_the_damage_is_named(
    place: Place, kind: str, how: str
) -> None:
    where, found = KINDS[kind]
    key = where(place)
    warm = Searcher(place.storage)
    assert place.keys(warm) == "bcde"
    place.damage(key, HOWS[how]((place.storage.root / key).read_bytes()))
    write(place.storage, gone("b", "6", at=place.now), model_id=place.id)
    # A warm searcher that has the model, or the whole head, need not read it again.
    read_again = kind in ("current", "head")
    assert place.keys(warm) == ("cde" if read_again else "bcde")
    assert (warm.trouble is not None) == read_again
    if found is None:
        with pytest.raises(DamagedError, match="`lens repair`") as raised:
            place.cold()
        assert raised.value.key == key
        return
    keys, cold = place.cold()
    assert keys == found.replace("b", "")
    assert isinstance(cold.ailing, DamagedError)
    assert cold.ailing.key == key


def test_a_deletion_reaches_what_stands_in_though_no_commit_names_it(place: Place) -> None:
    place.damage(place.segment(2))
    keys, cold = place.cold()
    assert keys == "bcd"
    write(place.storage, gone("c", "7", at=place.now), model_id=place.id)
    assert place.keys(cold) == "bd"
    assert place.cold()[0] == "bd"


def test_a_deletion_that_was_folded_since_reaches_what_stands_in(place: Place) -> None:
    place.add(gone("b", "6", at=place.now))
    fold(place.storage, head(place.storage, place.id), now=place.now)
    place.damage(place.snapshot("vectors.npy"))
    for info in list(place.storage.list("segments/")):
        if "b" in _keys_of(place, info.key):
            place.storage.delete(info.key)
    # The commit before names a segment that is gone; the one before that is whole.
    assert place.cold()[0] == "cde"


def _keys_of(place: Place, key: str) -> list[str]:
    rows = np.load(BytesIO(place.storage.read(key)[0]))
    tombstones = rows["key"][rows["kind"] == 2]
    return [name.decode() for name in tombstones]


def test_a_photo_that_came_back_after_its_deletion_is_shown(place: Place) -> None:
    place.add(photo("a", "6", at=place.now))
    place.add(photo("f", "7", at=place.now))
    place.damage(place.segment(4))
    assert place.cold()[0] == "abcde"


def test_what_is_healed_is_served_again(place: Place) -> None:
    key = place.segment(2)
    whole = (place.storage.root / key).read_bytes()
    place.damage(key)
    keys, cold = place.cold()
    assert keys == "bcd"
    place.damage(key, whole)
    assert place.keys(cold) == "bcde"
    assert (cold.trouble, cold.ailing) == (None, None)


def test_past_the_limit_of_a_pin_nothing_stands_in(tmp_path: Path) -> None:
    """All commits but the damaged one ceased to be the newest then."""
    for age, found in ((retention.PIN - DAY, "bcd"), (retention.PIN + DAY, None)):
        place = Place(FileStorage(tmp_path / str(age)), time.time() - age)
        place.damage(place.segment(2))
        if found:
            assert place.cold()[0] == found
        else:
            with pytest.raises(DamagedError, match="`lens repair`"):
                place.cold()


def test_a_quiet_gallery_whose_head_is_lost_is_no_older_for_it(tmp_path: Path) -> None:
    place = Place(FileStorage(tmp_path), 1_000_000_000.0)
    place.damage(head_key(place.id), None)
    assert place.cold()[0] == "bcde"


def test_an_earlier_model_stands_in_without_what_was_deleted_since(place: Place) -> None:
    newer = write_tiny_model(place.storage, 1)
    make_live(place.storage, newer.model_id, place.id)
    rows = photo("b", "1", at=place.now), gone("c", "9", at=place.now)
    add(place.storage, *rows, model_id=newer.model_id, now=place.now)
    place.damage(network_key(newer))
    keys, cold = place.cold()
    assert keys == "bde"
    assert cold.serving is not None and cold.serving.embedder.model_id == place.id


def test_without_current_json_the_model_with_the_newest_commit_is_served(place: Place) -> None:
    """And a candidate that is being filled is not."""
    retired, candidate = (write_tiny_model(place.storage, seed).model_id for seed in (1, 2))
    for model_id in (retired, candidate):
        make_live(place.storage, model_id)
        at = place.now - 9 * DAY if model_id == retired else place.now
        add(place.storage, photo("x", "1", at=at), model_id=model_id, now=at)
    place.damage(KEY, None)
    keys, cold = place.cold()
    assert keys == "bcde"
    assert isinstance(cold.ailing, MissingError)


def test_a_pin_holds_what_stands_in_too(place: Place) -> None:
    rollback(
        place.storage,
        model_id=place.id,
        commit=head(place.storage, place.id).number - 2,
        now=place.now,
    )
    place.damage(place.segment(2))  # a guard's
    keys, cold = place.cold()
    assert keys == "bcd"
    assert cold.serving is not None and cold.serving.pin is not None


def test_a_warm_searcher_survives_what_nobody_foresaw(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm = Searcher(place.storage)
    place.keys(warm)

    def broken(*_: object) -> None:
        raise RuntimeError("unheard of")

    monkeypatch.setattr("lens.search.searcher.load_serving", broken)
    assert place.keys(warm) == "bcde"
    assert warm.trouble == "unheard of"
    assert place.cold()[0] == "bcde"


def test_a_storage_that_is_out_of_reach_is_not_taken_for_damage(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise StorageError("no network")

    monkeypatch.setattr("lens.search.searcher.load_serving", unreachable)
    with pytest.raises(StorageError):
        place.cold()


def _with_products(place: Place) -> tuple[str, str]:
    """The keys of the look and of its table."""
    look = "1" * 32
    table = write_table(
        place.storage, place.id, look, Products.of([Entry("p", "d", ("d",), b"{}")])
    )
    manifest = ProductsManifest(
        id=look,
        model_id=place.id,
        previous=None,
        file="products.csv",
        etag="e",
        products=1,
        whole=table,
    )
    key = write_look(place.storage, manifest)
    ref = ProductsRef(id=look, products=1)
    advance_head(
        place.storage, place.id, lambda old: old.model_copy(update={"products": ref}), now=place.now
    )
    return key, f"products/{place.id}/{look}/table.npz"


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("how", HOWS)
def test_damaged_products_cost_themselves_alone(place: Place, which: int, how: str) -> None:
    key = _with_products(place)[which]
    place.damage(key, HOWS[how]((place.storage.root / key).read_bytes()))
    keys, cold = place.cold()
    assert keys == "bcde"
    assert cold.trouble is None
    assert cold.serving is not None
    assert [getattr(each, "key", None) for each in cold.serving.damaged] == [key]
    with pytest.raises(FilterError, match="cannot be read now"):
        cold.search(png(1), Wanted(filter=parse_filter("price<9")))


@pytest.mark.parametrize("name", ["calibration.json", "garment.npy", "shares.onnx"])
@pytest.mark.parametrize("data", [b"", b"nothing"])
def test_what_lies_beside_a_model_costs_itself_alone(place: Place, name: str, data: bytes) -> None:
    words = Calibration(garment_from=0.5, same=0.9, very_similar=0.8, similar_style=0.5, loss=0.1)
    vectors = np.eye(DIM, dtype=np.float32)
    write_calibration(place.storage, place.id, words, vectors, np.ones(DIM + 1, np.float32))
    key = beside_key(place.id, name)
    place.storage.write(key, data)
    keys, cold = place.cold()
    assert keys == "bcde"
    assert cold.serving is not None
    assert [getattr(each, "key", None) for each in cold.serving.damaged] == [key]


def test_vectors_of_another_dimension_are_named_though_nothing_else_tells(place: Place) -> None:
    """By an earlier release, whose segments have no checksum."""
    key = place.segment(2)
    arrays = dict(np.load(BytesIO((place.storage.root / key).read_bytes())))
    for name in ("model", "id", "sha256"):
        del arrays[name]
    short = arrays["vectors"][:, :4]
    arrays["vectors"] = short / np.linalg.norm(short, axis=1, keepdims=True)
    out = BytesIO()
    np.savez(out, **arrays)
    place.damage(key, out.getvalue())
    keys, cold = place.cold()
    assert keys == "bcd"
    assert isinstance(cold.ailing, DamagedError)
    assert cold.ailing.key == key


def test_a_commit_between_that_is_damaged_is_passed_over(place: Place) -> None:
    newest = head(place.storage, place.id)
    assert newest.parent is not None
    place.damage(place.segment(2))
    place.damage(commit_key(place.id, newest.parent), json.dumps({"number": 1}).encode())
    assert place.cold()[0] == "bcd"


def test_an_empty_place_is_no_damage(tmp_path: Path) -> None:
    searcher = Searcher(FileStorage(tmp_path))
    assert searcher.search(png(1)).hits == ()
    assert searcher.trouble is None


def test_an_error_is_one_that_says_what_to_do(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in place.storage.root.rglob("*.onnx"):
        path.chmod(0o644)
        path.write_bytes(b"")

    def broken(*_: object) -> None:
        raise RuntimeError("unheard of")

    monkeypatch.setattr("lens.search.searcher.load_serving", broken)
    with pytest.raises(ArtifactError, match=r"unheard of.*`lens repair`"):
        place.cold()
