"""Tests of permissions.py and of every role: it may use its own prefixes and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cdk.synthesis import Parts, several, synthesize, text

pytestmark = pytest.mark.slow

GALLERY = {"current.json", "formats.json", "condemned.json"} | {
    f"{p}/*" for p in ("heads", "commits", "segments", "snapshots", "products")
}
HELD = {"holds.json", "catalog.json"}
CATALOG, ARTIFACTS = "StorageCatalog", "StorageArtifacts"
THUMBS = f"{CATALOG}/image-lens/ImageLens/thumbs/*"
FIRST = {"current.json", "heads/*", "commits/*", "models/*"}
WRITES = {
    "embed": {f"{ARTIFACTS}/{p}/*" for p in ("segments", "products", "speeds")} | {THUMBS},
    "build_index": {f"{ARTIFACTS}/heads/*", f"{ARTIFACTS}/commits/*"},
    "compact": {f"{ARTIFACTS}/{p}/*" for p in ("heads", "commits", "segments", "snapshots")},
    "reconcile": {f"{ARTIFACTS}/{p}" for p in ("formats.json", "layout.json", "segments/*")}
    | {f"{ARTIFACTS}/{p}" for p in ("holds.json", "catalog.json", "listings/*")},
    "collect": {
        f"{ARTIFACTS}/{p}"
        for p in ("collected.json", "condemned.json", "heads/*", "commits/*", "listings/*")
    },
    "setup": {f"{ARTIFACTS}/{p}" for p in FIRST | {"formats.json", "catalog.json"}},
    "promote": {
        f"{ARTIFACTS}/{p}"
        for p in ("current.json", "heads/*", "commits/*", "holds.json", "listings/*")
    },
    "search": {f"{ARTIFACTS}/speeds/*", THUMBS},
}
DELETES = {
    "reconcile": {f"{ARTIFACTS}/listings/*"},
    "promote": {f"{ARTIFACTS}/listings/*"},
    "collect": {
        f"{ARTIFACTS}/{p}/*" for p in ("commits", "segments", "snapshots", "products", "listings")
    }
    | {THUMBS},
}
READS = {
    "embed": {f"{CATALOG}/catalog/*"}
    | {f"{ARTIFACTS}/{p}" for p in ("current.json", "formats.json", "heads/*", "models/*")}
    | {
        f"{ARTIFACTS}/{p}"
        for p in ("layout.json", "segments/*", "products/*", "catalog.json", "speeds/*")
    },
    "build_index": {f"{ARTIFACTS}/{p}" for p in GALLERY},
    "compact": {f"{ARTIFACTS}/{p}" for p in GALLERY | {"models/*"}},
    "reconcile": {f"{ARTIFACTS}/{p}" for p in GALLERY | HELD | {"layout.json", "listings/*"}}
    | {f"{CATALOG}/catalog/*"},
    "collect": {f"{ARTIFACTS}/{p}" for p in GALLERY | {"collected.json", "listings/*"}},
    "setup": {f"{ARTIFACTS}/{p}" for p in FIRST | {"formats.json", "catalog.json"}},
    "promote": {
        f"{ARTIFACTS}/{p}"
        for p in GALLERY | HELD | {"layout.json", "listings/*", "models/*", "training/*"}
    }
    | {f"{CATALOG}/catalog/*"},
    "search": {f"{ARTIFACTS}/{p}" for p in GALLERY | {"models/*", "holds.json", "speeds/*"}}
    | {f"{CATALOG}/catalog/*", THUMBS},
}
SENDS = {"build_index", "reconcile", "collect", "promote"}
SCHEDULED = {"reconcile", "collect", "promote"}  # Lambda sends what is left of a failed run
RECEIVES = {
    "embed": "EmbeddingFeedQueue",
    "build_index": "IndexingSegmentsQueue",
    "compact": "IndexingHeadsQueue",
}


def _plain(resource: object) -> str:
    """Without angle brackets, and without the hash at the end of CloudFormation's names."""
    name, _, rest = text(resource).removeprefix("<").partition(">")
    return name.rstrip("0123456789ABCDEF") + rest


def _allowed(parts: Parts, function: str, action: str) -> set[str]:
    return {
        _plain(resource)
        for statement in parts.statements(function)
        if action in several(statement["Action"])
        for resource in several(statement["Resource"])
    }


@pytest.mark.parametrize("function", sorted(WRITES))
def test_a_function_reads_writes_and_deletes_only_its_own(parts: Parts, function: str) -> None:
    assert _allowed(parts, function, "s3:GetObject") == READS[function]
    assert _allowed(parts, function, "s3:PutObject") == WRITES[function]
    assert _allowed(parts, function, "s3:DeleteObject") == DELETES.get(function, set())


@pytest.mark.parametrize("function", sorted(WRITES))
def test_no_function_may_take_a_photo_down_for_good(parts: Parts, function: str) -> None:
    """`lens purge` works with its operator's credentials alone."""
    actions = [a for each in parts.statements(function) for a in several(each["Action"])]
    assert not [a for a in actions if "Version" in a or a.startswith("cloudfront:")]


@pytest.mark.parametrize("function", sorted(WRITES))
def test_a_function_lists_only_prefixes_that_it_reads_or_cleans(
    parts: Parts, function: str
) -> None:
    """S3 answers 404 rather than 403 for what a function may list."""
    listed = set()
    for statement in parts.statements(function):
        if "s3:ListBucket" in several(statement["Action"]):
            (bucket,) = {_plain(each) for each in several(statement["Resource"])}
            prefixes = several(statement["Condition"]["StringLike"]["s3:prefix"])
            listed |= {f"{bucket}/{prefix}" for prefix in prefixes}
    # Whether a head is lost, or has never been, is told by the names of commits.
    names = {f"{ARTIFACTS}/commits/*"} if function == "embed" else set()
    assert listed == READS[function] | DELETES.get(function, set()) | names


def test_two_stacks_on_one_bucket_cannot_touch_each_others_thumbnails(
    root: Path, tmp_path: Path
) -> None:
    own = []
    for stack in ("Shop", "Outlet"):
        parts = Parts(synthesize(root, tmp_path / stack, stack=stack, catalog_bucket="photos"))
        deleted = (
            each.rpartition(":")[2] for each in _allowed(parts, "collect", "s3:DeleteObject")
        )
        own.append([each for each in deleted if each.startswith("photos/")])
    assert own == [["photos/image-lens/Shop/thumbs/*"], ["photos/image-lens/Outlet/thumbs/*"]]


@pytest.mark.parametrize("function", sorted(WRITES))
def test_a_function_uses_only_its_queue(parts: Parts, function: str) -> None:
    received = {RECEIVES[function]} if function in RECEIVES else set()
    assert _allowed(parts, function, "sqs:ReceiveMessage") == received
    sent = {"EmbeddingFeedQueue"} if function in SENDS else set()
    sent |= {"ScheduleFailed"} if function in SCHEDULED else set()
    assert _allowed(parts, function, "sqs:SendMessage") == sent


def test_a_wildcard_only_ends_a_prefix(parts: Parts) -> None:
    """Two actions take no resource: a registry token, and metrics, restricted to a namespace."""
    bare = []
    for name, policy in parts.named("AWS::IAM::Policy").items():
        if name.startswith("CustomCDK"):
            continue  # CDK's own helper; accepted with its reason in nag.py
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = several(statement["Action"])
            assert not [action for action in actions if "*" in action], (name, actions)
            for resource in map(text, several(statement["Resource"])):
                if resource == "*":
                    bare.append((name.rstrip("0123456789ABCDEF"), tuple(sorted(actions))))
                elif "*" in resource:
                    assert resource.count("*") == 1
                    assert resource.endswith(("/*", ":*")), resource
    named = {action for _, actions in bare for action in actions}
    assert named <= {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"} | {
        "s3:PutBucketNotification",
        "cloudfront:CreateInvalidation",
        "cloudfront:GetInvalidation",
    }
    ours = {name for name, _ in bare if "Notifications" not in name}
    assert ours == {"TrainingJobRoleDefaultPolicy"}


def test_no_function_has_a_managed_policy(parts: Parts) -> None:
    for role in parts.named("AWS::IAM::Role", "Functions").values():
        assert "ManagedPolicyArns" not in role["Properties"]


def test_training_may_only_be_passed_to_sagemaker(parts: Parts) -> None:
    (machine,) = parts.named("AWS::IAM::Policy", "TrainingMachineRole").values()
    by_action = {
        action: statement
        for statement in machine["Properties"]["PolicyDocument"]["Statement"]
        for action in several(statement["Action"])
    }
    assert set(by_action) == {
        "sagemaker:CreateTrainingJob",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:StopTrainingJob",
        "sagemaker:AddTags",
        "iam:PassRole",
        "lambda:InvokeFunction",
        "events:PutTargets",
        "events:PutRule",
        "events:DescribeRule",
    }
    passed = by_action["iam:PassRole"]
    assert passed["Condition"] == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }
    assert text(passed["Resource"]).startswith("<TrainingJobRole")


@pytest.mark.parametrize("prefix", ["", "/in-shop/"])
def test_training_reads_a_data_set_elsewhere_and_nothing_beside_it(
    root: Path, tmp_path: Path, prefix: str
) -> None:
    parts = Parts(synthesize(root, tmp_path, training_data=f"s3://photos{prefix}"))
    (job,) = parts.named("AWS::IAM::Policy", "TrainingJobRole").values()
    resources = {
        text(resource)
        for statement in job["Properties"]["PolicyDocument"]["Statement"]
        for resource in several(statement["Resource"])
    }
    folder = prefix.strip("/")
    assert f"arn:<AWS::Partition>:s3:::photos/{folder + '/' if folder else ''}*" in resources
