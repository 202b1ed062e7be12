"""The deployment: a stack's outputs, which say where its data and its queues are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lens.errors import DeploymentError, LensError, UsageError

if TYPE_CHECKING:
    from lens.pipeline.queues import Depth

QUEUES = ("embed", "segments", "heads")  # in the order of the pipeline


@dataclass(frozen=True)
class QueueUrls:
    """A queue, and where its dead letters go."""

    queue: str
    dead_letters: str


@dataclass(frozen=True)
class QueueDepth:
    """A queue's messages, and its dead letters."""

    queue: Depth
    dead: int


@dataclass(frozen=True)
class Deployment:
    """What a stack's outputs say."""

    stack: str
    catalog: str
    artifacts: str
    thumbs: str
    training_machine: str  # ARN of the state machine
    queues: dict[str, QueueUrls]  # by name
    feed: str = ""  # where the product file lies, if not among the photos
    pictures: str = ""  # where pictures/ lies; empty where none are fetched
    distribution: str = ""  # CloudFront's id; empty for a stack of an earlier release

    def depths(self) -> dict[str, QueueDepth]:
        """How full its queues are, by name."""
        from lens.pipeline.queues import Queue

        return {
            name: QueueDepth(Queue(urls.queue).depth(), Queue(urls.dead_letters).depth().waiting)
            for name, urls in self.queues.items()
        }

    def lost_events(self) -> list[str]:
        """The events that the catalog's bucket no longer tells of; none where it may not be asked,
        which costs this line alone."""
        from lens.pipeline.notifications import lost_events

        try:
            return lost_events(self.catalog, self.queues["embed"].queue)
        except LensError:
            return []


def read_deployment(stack: str) -> Deployment:
    """Ask CloudFormation. DeploymentError when it does not answer, UsageError when there is no such
    stack, or another program's, or one whose deployment never finished."""
    outputs = read_outputs(stack)

    def output(name: str) -> str:
        if name not in outputs:
            raise UsageError(
                f"stack {stack} has no output {name}: is it an Image Lens, and did its deployment "
                "finish? `make deploy` repairs both"
            )
        return outputs[name]

    queues = {
        name: QueueUrls(
            queue=output(f"{name.capitalize()}QueueUrl"),
            dead_letters=output(f"{name.capitalize()}DeadLettersUrl"),
        )
        for name in QUEUES
    }
    return Deployment(
        stack=stack,
        catalog=output("CatalogLocation"),
        artifacts=output("ArtifactsLocation"),
        thumbs=output("ThumbsLocation"),
        training_machine=output("TrainingMachine"),
        queues=queues,
        feed=outputs.get("FeedLocation", ""),
        pictures=outputs.get("PicturesLocation", ""),
        distribution=outputs.get("DistributionId", ""),
    )


def read_outputs(stack: str) -> dict[str, str]:
    """A stack's outputs, by name. DeploymentError and UsageError as above."""
    try:
        from lens import aws
    except ModuleNotFoundError as error:
        message = f"stack {stack} needs boto3, which is missing: pip install 'image-lens[aws]'"
        raise DeploymentError(message) from error

    def meaning(code: str, status: int, message: str) -> LensError | None:
        if code != "ValidationError":
            return None
        return UsageError(
            f"there is no stack {stack} in this account and region: check the name "
            "(LENS_STACK, --stack), AWS_PROFILE and AWS_REGION, or run `make deploy`"
        )

    with aws.explained(
        f"ask about the stack {stack}",
        DeploymentError,
        grant="cloudformation:DescribeStacks",
        meaning=meaning,
    ):
        client = aws.client("cloudformation")
        (described,) = client.describe_stacks(StackName=stack)["Stacks"]
    return {
        output["OutputKey"]: output["OutputValue"]
        for output in described.get("Outputs", [])
        if "OutputKey" in output and "OutputValue" in output
    }
