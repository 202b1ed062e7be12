"""What S3 does beyond the contract, on moto: `lens.storage.s3`, and the errors of `lens.aws`."""

from __future__ import annotations

import io
import os
import random
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ResponseStreamingError
from botocore.response import StreamingBody
from botocore.stub import Stubber

import lens.aws
import lens.storage.s3
from lens.errors import ConflictError, NotFoundError, StorageError
from lens.storage import Storage, open_storage
from lens.storage.s3 import S3Storage
from tests.lens.storage.helpers import keys
from tests.support.s3_bucket import BUCKET


def client_of(storage: Storage) -> Any:
    assert isinstance(storage, S3Storage)
    return storage._client


def test_a_prefix_keeps_to_its_own_keys(s3: None) -> None:
    whole, part = open_storage(f"s3://{BUCKET}"), open_storage(f"s3://{BUCKET}/cat/")
    whole.write("cat.jpg", b"")
    whole.write("catalog/1", b"")
    part.write("1", b"")
    assert keys(part) == ["1"]
    assert keys(whole) == ["cat.jpg", "cat/1", "catalog/1"]
    part.delete("1")
    assert keys(whole) == ["cat.jpg", "catalog/1"]


def test_folder_markers_are_left_out_and_odd_keys_are_not(s3: None) -> None:
    storage = open_storage(f"s3://{BUCKET}/cat")
    for key in ("cat/", "cat/a/", "cat/a/../b", "cat/a//b", "cat//a", "cat/.c", "cat/d\\e"):
        client_of(storage).put_object(Bucket=BUCKET, Key=key, Body=b"1")
    assert keys(storage) == [".c", "/a", "a//b", "d\\e"]
    for key in keys(storage):
        assert storage.read(key)[0] == b"1"


def test_the_headers_a_browser_needs_are_kept(s3: None) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    storage.write("a.jpg", b"1", content_type="image/jpeg", cache_control="max-age=1")
    reply = client_of(storage).head_object(Bucket=BUCKET, Key="a.jpg")
    assert (reply["ContentType"], reply["CacheControl"]) == ("image/jpeg", "max-age=1")


def test_conditions_travel_in_the_request_and_every_refusal_is_a_conflict(s3: None) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    wanted = {"Bucket": BUCKET, "Key": "key", "Body": b""}
    with Stubber(client_of(storage)) as stub:
        for code, status, condition, keywords in (
            ("PreconditionFailed", 412, {"IfMatch": '"e"'}, {"if_match": "e"}),
            ("ConditionalRequestConflict", 409, {"IfMatch": '"e"'}, {"if_match": "e"}),
            ("NoSuchKey", 404, {"IfMatch": '"e"'}, {"if_match": "e"}),
            ("PreconditionFailed", 412, {"IfNoneMatch": "*"}, {"if_absent": True}),
            ("ConditionalRequestConflict", 409, {"IfNoneMatch": "*"}, {"if_absent": True}),
        ):
            stub.add_client_error(
                "put_object",
                service_error_code=code,
                http_status_code=status,
                expected_params={**wanted, **condition},
            )
            with pytest.raises(ConflictError):
                storage.write("key", b"", **keywords)


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        ("AccessDenied", 403, r"denied; grant s3:GetObject, and s3:ListBucket"),
        ("403", 403, r"denied; grant s3:GetObject"),
        ("ExpiredToken", 400, r"log in to AWS"),
        ("SlowDown", 503, r"SlowDown \(503\).*try again later"),
        ("Odd", 418, r"Odd \(418\) on two lines"),
    ],
)
def test_what_s3_refuses_is_explained_in_one_line(
    s3: None, code: str, status: int, says: str
) -> None:
    storage = open_storage(f"s3://{BUCKET}/p")
    with Stubber(client_of(storage)) as stub:
        stub.add_client_error("get_object", code, "on two\n lines.", status)
        with pytest.raises(StorageError, match=says) as caught:
            storage.read("key")
    assert f"cannot read s3://{BUCKET}/p/key" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_bucket_is_no_missing_object(s3: None) -> None:
    storage = open_storage("s3://no-such-bucket")
    for act in (
        lambda: storage.read("key"),
        lambda: storage.write("key", b""),
        lambda: storage.write("key", b"", if_match="etag"),
        lambda: storage.delete("key"),
        lambda: keys(storage),
    ):
        with pytest.raises(StorageError, match=r"no-such-bucket.*check the bucket's name"):
            act()


def test_missing_credentials_are_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(StorageError, match="log in to AWS"):
        open_storage(f"s3://{BUCKET}").read("key")
    monkeypatch.setenv("AWS_PROFILE", "missing")
    with pytest.raises(StorageError, match="AWS_PROFILE"):
        open_storage(f"s3://{BUCKET}").read("key")


class BrokenOff(io.BytesIO):
    """A reply of which only the beginning arrives."""


def body(data: bytes, length: int) -> StreamingBody:
    return StreamingBody(BrokenOff(data), length)


def test_a_reply_that_breaks_off_is_asked_for_again(s3: None, tmp_path: Path) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    info = storage.write("key", b"whole")
    reply = {"ETag": f'"{info.etag}"', "LastModified": datetime.now(UTC)}
    whole, half = (
        {**reply, "ContentLength": 5, "Body": body(data, 5)} for data in (b"whole", b"wh")
    )
    with Stubber(client_of(storage)) as stub:
        stub.add_response("get_object", half)
        stub.add_response("get_object", whole)
        assert storage.read("key")[0] == b"whole"
    with Stubber(client_of(storage)) as stub:
        for _ in range(3):
            stub.add_response("get_object", {**reply, "ContentLength": 5, "Body": body(b"wh", 5)})
        with pytest.raises(StorageError, match="check the network"):
            storage.fetch("key", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    """The size of parts, small enough for moto to serve many."""
    monkeypatch.setattr(lens.storage.s3, "_PART", 1000)
    monkeypatch.setattr(lens.storage.s3, "_CHUNK", 300)
    return 1000


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 1999, 2000, 2001, 37_123])
def test_an_object_read_in_parts_is_the_object(
    s3: None, small_parts: int, tmp_path: Path, size: int
) -> None:
    storage = open_storage(f"s3://{BUCKET}/p")
    data = random.Random(size).randbytes(size)
    written = storage.write("key", data)
    found, info = storage.read("key")
    assert (found, info.etag, info.size) == (data, written.etag, size)
    assert storage.fetch("key", tmp_path / "copy") == info
    assert (tmp_path / "copy").read_bytes() == data


class Meddler:
    """Does something before the second ranged request of a client; counts them all."""

    def __init__(self, storage: Storage, act: Callable[[], object]) -> None:
        self.asked: list[str] = []
        self.lock = threading.Lock()
        self.act = act
        client_of(storage).meta.events.register("before-send.s3.GetObject", self)

    def __call__(self, request: Any, **_: Any) -> None:
        with self.lock:
            self.asked.append(request.headers["Range"].decode())
            if len(self.asked) == 2:
                self.act()


def test_an_object_replaced_while_it_is_read_in_parts_is_read_anew_and_never_mixed(
    s3: None, small_parts: int
) -> None:
    storage, other = open_storage(f"s3://{BUCKET}"), open_storage(f"s3://{BUCKET}")
    storage.write("key", b"a" * 5_500)
    meddler = Meddler(storage, lambda: other.write("key", b"b" * 5_500))
    data, info = storage.read("key")
    assert data == b"b" * 5_500
    assert info == storage.head("key")
    assert meddler.asked.count("bytes=0-999") == 2


def test_an_object_deleted_while_it_is_read_in_parts_is_not_there(
    s3: None, small_parts: int, tmp_path: Path
) -> None:
    storage, other = open_storage(f"s3://{BUCKET}"), open_storage(f"s3://{BUCKET}")
    storage.write("key", b"a" * 5_500)
    Meddler(storage, lambda: other.delete("key"))
    with pytest.raises(NotFoundError):
        storage.fetch("key", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_parts_of_two_versions_are_told_apart_where_if_match_is_not_heeded(
    s3: None, small_parts: int
) -> None:
    storage, other = open_storage(f"s3://{BUCKET}"), open_storage(f"s3://{BUCKET}")
    storage.write("key", b"a" * 5_500)

    def forget(params: dict[str, Any], **_: Any) -> None:
        params["headers"].pop("If-Match", None)

    client_of(storage).meta.events.register("before-call.s3.GetObject", forget)
    Meddler(storage, lambda: other.write("key", b"b" * 7_500))
    assert storage.read("key")[0] == b"b" * 7_500


def test_an_object_that_is_replaced_again_and_again_is_not_passed_off_as_whole(
    s3: None, small_parts: int
) -> None:
    storage, other = open_storage(f"s3://{BUCKET}"), open_storage(f"s3://{BUCKET}")
    storage.write("key", b"0" * 1_500)
    meddler = Meddler(storage, lambda: None)

    def replace(params: dict[str, Any], **_: Any) -> None:
        if params["headers"]["Range"] != "bytes=0-999":
            other.write("key", b"%d" % len(meddler.asked) * 1_500)

    client_of(storage).meta.events.register("before-call.s3.GetObject", replace)
    with pytest.raises(StorageError, match="is being replaced: try again"):
        storage.read("key")


def test_a_server_that_knows_no_parts_is_read_whole(s3: None, small_parts: int) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    storage.write("key", b"a" * 5_500)

    def forget(params: dict[str, Any], **_: Any) -> None:
        params["headers"].pop("Range", None)

    client_of(storage).meta.events.register("before-call.s3.GetObject", forget)
    assert storage.read("key")[0] == b"a" * 5_500


def test_a_part_that_breaks_off_is_asked_for_again(
    s3: None, small_parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    data = random.Random(0).randbytes(5_500)
    storage.write("key", data)
    whole = StreamingBody.iter_chunks
    broken: list[bytes] = []

    def break_off(self: StreamingBody, size: int) -> Iterator[bytes]:
        for number, chunk in enumerate(whole(self, size)):
            if number == 2 and not broken:
                broken.append(chunk)
                raise ResponseStreamingError(error="the connection broke off")
            yield chunk

    monkeypatch.setattr(StreamingBody, "iter_chunks", break_off)
    assert storage.read("key")[0] == data
    assert broken


def test_what_breaks_off_in_the_middle_goes_on_where_it_did(
    s3: None, small_parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    data = random.Random(0).randbytes(5_500)
    storage.write("key", data)
    whole = StreamingBody.iter_chunks

    def break_off(self: StreamingBody, size: int) -> Iterator[bytes]:
        """Each reply after its first chunk, as all are that were open when a function froze."""
        yield next(whole(self, size))
        raise ResponseStreamingError(error="the connection broke off")

    monkeypatch.setattr(StreamingBody, "iter_chunks", break_off)
    meddler = Meddler(storage, lambda: None)
    assert storage.read("key")[0] == data
    # Nothing that arrived is asked for again.
    assert sorted(meddler.asked) == sorted(
        f"bytes={at}-{min(start + 1000, 5_500) - 1 if at else 999}"
        for start in range(0, 5_500, 1000)
        for at in range(start, min(start + 1000, 5_500), 300)
    )


def test_a_part_of_which_nothing_arrives_is_given_up(
    s3: None, small_parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    storage.write("key", b"a" * 5_500)

    def break_off(self: StreamingBody, size: int) -> Iterator[bytes]:
        raise ResponseStreamingError(error="the connection broke off")

    monkeypatch.setattr(StreamingBody, "iter_chunks", break_off)
    with pytest.raises(StorageError, match="check the network"):
        storage.read("key")


def test_a_storage_that_is_only_opened_makes_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lens.aws, "client", lambda service: pytest.fail("it was made"))
    assert open_storage(f"s3://{BUCKET}/p").location == f"s3://{BUCKET}/p/"


def test_a_thousand_objects_are_deleted_in_one_request(
    s3: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = open_storage(f"s3://{BUCKET}/some")
    asked: list[int] = []
    client = client_of(storage)
    delete = client.delete_objects

    def count(**request: Any) -> Any:
        asked.append(len(request["Delete"]["Objects"]))
        return delete(**request)

    monkeypatch.setattr(client, "delete_objects", count)
    storage.write("a/1", b"x")
    storage.delete_many(f"a/{number}" for number in range(2_001))
    assert asked == [1_000, 1_000, 1]
    assert keys(storage) == []


def test_objects_that_may_not_be_deleted_are_told(s3: None) -> None:
    storage = open_storage(f"s3://{BUCKET}/some")
    denied = {"Key": "some/b", "Code": "AccessDenied", "Message": "Access Denied"}
    with Stubber(client_of(storage)) as stub:
        stub.add_response("delete_objects", {"Deleted": [{"Key": "some/a"}], "Errors": [denied]})
        with pytest.raises(StorageError, match="grant s3:DeleteObject"):
            storage.delete_many(["a", "b"])


def test_the_clock_is_s3s_even_where_nothing_may_be_read(s3: None) -> None:
    storage = open_storage(f"s3://{BUCKET}/some")
    date = {"HTTPHeaders": {"date": "Wed, 21 Oct 2015 07:28:00 GMT"}}
    with Stubber(client_of(storage)) as stub:
        stub.add_client_error("head_object", "403", http_status_code=403, response_meta=date)
        assert storage.now() == datetime(2015, 10, 21, 7, 28, tzinfo=UTC).timestamp()
