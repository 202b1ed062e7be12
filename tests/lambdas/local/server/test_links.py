"""Links: what they lead to is watched, and heard of by the link's name."""

from __future__ import annotations

from pathlib import Path

from lambdas.local.server.links import links_in
from tests.lambdas.local.server.test_watcher import SECONDS, Watched


def test_a_link_s_key_is_that_of_what_it_leads_to(tmp_path: Path) -> None:
    catalog, outside = tmp_path / "catalog", tmp_path / "outside"
    (catalog / "WOMEN").mkdir(parents=True)
    outside.mkdir()
    (catalog / "WOMEN/linked").symlink_to(outside)
    (catalog / "WOMEN/loop").symlink_to("..")
    (catalog / "self.jpg").symlink_to("self.jpg")
    (catalog / "gone.jpg").symlink_to("nowhere.jpg")
    (catalog / "@eaDir").symlink_to(outside)
    links = links_in(catalog)
    assert links.watched == (catalog, outside)
    assert links.keys(outside / "a.jpg") == ["WOMEN/linked/a.jpg"]
    assert links.keys(catalog / "b.jpg") == ["b.jpg"]
    assert links.keys(tmp_path / "c.jpg") == []


def test_a_photo_in_a_linked_folder_is_heard_of_and_a_new_link_too(tmp_path: Path) -> None:
    catalog, one, two = (tmp_path / name for name in ("catalog", "one", "two"))
    for folder in (catalog, one, two):
        folder.mkdir()
    (catalog / "first").symlink_to(one)
    watched = Watched(catalog)
    watched.thread.start()
    try:
        assert watched.watching.wait(SECONDS)
        (one / "a.jpg").write_bytes(b"x")
        assert watched.until("first")
        (catalog / "second").symlink_to(two)
        count = 0
        while not watched.until_soon("second"):
            count += 1
            (two / f"{count}.jpg").write_bytes(b"x")
    finally:
        watched.stop.set()
        watched.thread.join(SECONDS)
    assert watched.unclear >= 2, "the new link, and what was missed meanwhile"
