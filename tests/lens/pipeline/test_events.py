"""The messages between the stages, in the shapes that S3 and SQS really send."""

from __future__ import annotations

import json

import pytest

from lens.correlation import correlated
from lens.gallery.triggers import Trigger
from lens.gallery.versions import Look, Version
from lens.pipeline.events import (
    SqsMessage,
    answer_batch,
    keys_in,
    looks_in,
    looks_message,
    receive_count,
    s3_notification,
    sqs_event,
)

NOW = 1_790_000_000.0
# As in "Event message structure" of the Amazon S3 User Guide.
CREATED = {
    "eventVersion": "2.1",
    "eventSource": "aws:s3",
    "eventName": "ObjectCreated:Put",
    "s3": {
        "bucket": {"name": "shop"},
        "object": {
            "key": "catalog/red+dresses/caf%C3%A9+%2B1.jpg",
            "size": 1024,
            "eTag": "d41d8cd98f00b204e9800998ecf8427e",
            "sequencer": "0055AED6DCD90281E5",
        },
    },
}


def body(**changes: str) -> str:
    record = json.loads(json.dumps(CREATED))
    record["s3"]["object"].update(changes)
    return json.dumps({"Records": [record]})


def test_a_key_is_decoded_and_taken_relative_to_the_catalog() -> None:
    assert looks_in(body(), "catalog/") == [
        Look("red dresses/café +1.jpg", Version("0055AED6DCD90281E5"))
    ]


@pytest.mark.parametrize(
    "message",
    [
        json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "shop"}),
        body(key="catalog/"),
        body(key="catalog/dresses/"),
        body(key="elsewhere/a.jpg"),
        body(key="catalog/../secret.jpg"),
    ],
    ids=["test event", "root marker", "folder marker", "other prefix", "a way out"],
)
def test_what_is_not_about_an_object_of_the_catalog_asks_for_nothing(message: str) -> None:
    assert looks_in(message, "catalog/") == []


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6"),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E501"),  # longer: right-padded before comparing
        ("0055AED6DCD90281E5".lower(), "0055AED6DCD90281E6"),
        ("00", "01"),
    ],
)
def test_sequencers_order_as_s3_says(older: str, newer: str) -> None:
    assert Version.of_event(older) < Version.of_event(newer)


def test_sequencers_that_differ_in_padding_only_are_one_version() -> None:
    assert Version.of_event("0055AE") == Version.of_event("0055AE00")


def test_a_reconciled_version_lies_between_its_row_and_any_newer_event() -> None:
    seen = Version.of_event("0055AE")
    assert seen < seen.bumped() < seen.bumped().bumped() < Version.of_event("0055AE01")


def test_looks_survive_their_message() -> None:
    looks = [
        Look("ä b+c.jpg", Version("0055AE", 3)),
        Look("x", Version("", 1), "model-1", "locked"),
    ]
    assert looks_in(looks_message(looks), "catalog/") == looks


def test_what_set_a_look_off_survives_its_messages_and_is_no_part_of_the_look() -> None:
    upload = Trigger("C3D13FE58DE4C810", NOW)
    asked = Look("a.jpg", Version("0A"), trigger=upload)
    assert asked == Look("a.jpg", Version("0A"))
    notified = looks_in(s3_notification("ObjectCreated:Put", "a.jpg", "0A", upload), "")
    for looks in (looks_in(looks_message([asked]), ""), notified):
        assert [(look, look.trigger) for look in looks] == [(asked, upload)]
    with correlated("a-run"):  # what no upload set off belongs to who asks
        (own,) = looks_in(looks_message([Look("a.jpg", Version("0A"))]), "")
    assert own.trigger == Trigger("a-run", 0.0)


def test_a_local_notification_reads_like_one_of_s3s() -> None:
    message = s3_notification("ObjectCreated:Put", "café +1.jpg", "0055AE")
    assert keys_in(message, "") == ["café +1.jpg"]


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "[]",
        '"x"',
        "null",
        "5",
        "{}",
        "[" * 100_000,
        '{"Records": null}',
        '{"Records": []}',
        '{"looks": []}',
        '{"looks": [], "Records": []}',
        '{"Event": "s3:Other"}',
        '{"looks": [{"key": "b.jpg", "sequencer": "A", "n": 0, "model_id": null}], "Records": '
        '[{"s3": {"object": {"key": "a.jpg", "sequencer": "0A"}}}]}',
        '{"Records": "abc"}',
        '{"Records": [5]}',
        '{"Records": [{"s3": {"object": {"key": "a.jpg"}}}]}',
        '{"Records": [{"s3": {"object": {"key": "a.jpg", "sequencer": 5}}}]}',
        '{"Records": [{"s3": {"object": {"key": "a.jpg", "sequencer": "xyz"}}}]}',
        '{"Records": [{"s3": {"object": {"key": 5, "sequencer": "0A"}}}]}',
        '{"looks": {"a": 1}}',
        '{"looks": [{"key": 5, "sequencer": "A", "n": 0, "model_id": null}]}',
        '{"looks": [{"key": "a.jpg", "sequencer": null, "n": 0, "model_id": null}]}',
        '{"looks": [{"key": "a.jpg", "sequencer": "A", "n": 99999999999, "model_id": null}]}',
        '{"looks": [{"key": "a.jpg", "sequencer": "A", "n": Infinity, "model_id": null}]}',
        '{"looks": [{"key": "../a.jpg", "sequencer": "A", "n": 0, "model_id": null}]}',
        r'{"looks": [{"key": "\ud800.jpg", "sequencer": "A", "n": 0, "model_id": null}]}',
        json.dumps({"Type": "Notification", "Message": "{}"}),
    ],
)
def test_an_odd_message_fails_alone_and_never_vanishes(odd: str) -> None:
    done: list[Look] = []
    event = sqs_event([s3_notification("ObjectCreated:Put", "a.jpg", "01"), odd])
    reply = answer_batch(event, lambda message: looks_in(message["body"], ""), done.extend)
    assert reply == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert [look.key for look in done] == ["a.jpg"]


def test_looks_in_a_queue_of_notifications_do_not_vanish() -> None:
    with pytest.raises(ValueError, match="looks are asked for"):
        keys_in(looks_message([Look("a.jpg", Version("A"))]), "")


def test_an_unknown_event_is_looked_at_too() -> None:
    message = s3_notification("ObjectRestore:Completed", "a.jpg", "0A")
    assert looks_in(message, "") == [Look("a.jpg", Version("0A"))]


def test_what_is_about_nothing_of_ours_is_told(caplog: pytest.LogCaptureFixture) -> None:
    assert looks_in(body(key="elsewhere/a.jpg"), "catalog/") == []
    assert "elsewhere/a.jpg" in caplog.text


def test_of_two_messages_with_one_name_none_vanishes() -> None:
    done: list[str] = []
    event = sqs_event(['["a"]', '["b"]'])
    for message in event["Records"]:
        message["messageId"] = "same"
    assert answer_batch(event, words, done.extend) == {"batchItemFailures": []}
    assert done == ["a", "b"]


def test_a_message_says_how_often_it_was_received() -> None:
    (message,) = sqs_event(["x"], receives=3)["Records"]
    assert receive_count(message) == 3
    assert receive_count({"messageId": "1", "body": "x"}) == 1


def words(message: SqsMessage) -> list[str]:
    found: list[str] = json.loads(message["body"])
    return found


def test_one_bad_message_does_not_fail_its_neighbors() -> None:
    done: list[str] = []

    def work(words: list[str]) -> None:
        if "bad" in words:
            raise OSError("disk full")
        done.extend(words)

    event = sqs_event(['["a"]', '["bad"]', "not json", '["b"]'])
    reply = answer_batch(event, words, work)
    assert sorted(f["itemIdentifier"] for f in reply["batchItemFailures"]) == ["1", "2"]
    assert sorted(done) == ["a", "b"]


def test_a_good_batch_is_worked_on_once() -> None:
    calls: list[list[str]] = []
    assert answer_batch(sqs_event(['["a"]', '["b"]']), words, calls.append) == {
        "batchItemFailures": []
    }
    assert calls == [["a", "b"]]
