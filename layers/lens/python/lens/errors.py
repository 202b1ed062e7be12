"""Every error this project raises on purpose, as one tree.

LensError                   one line that says what is wrong and what to do
├── UsageError              the caller asked for something that makes no sense
│   ├── PinnedError         refused while searches are pinned to an earlier commit
│   ├── FilterError         a filter or facet that nothing can be found with
│   └── CursorError         a cursor that is damaged, or of another search
├── SearchAgainError        what a cursor goes on with is gone
├── PhotoError              this photo cannot be used; nothing else is affected
│   ├── NotAnImageError     no decoder knows the bytes (or there are none)
│   ├── UnsupportedImageError  a known image type that is not accepted
│   ├── BrokenImageError    an accepted type, but truncated or corrupt
│   ├── PhotoTooLargeError  more bytes than the limit
│   └── TooManyPixelsError  more pixels than the limit, found before decoding
├── FetchError              a photo cannot be fetched from its address
│   ├── AddressRefusedError  the address may not be reached from here
│   └── HostError            its host cannot answer now; asked later it may
├── NotFoundError           the named object, item, photo, commit or model does not exist
│   └── NotExplainedError   the model cannot tell why photos are alike
├── ConflictError           a conditional write lost: the object is not as the writer saw it
├── ArtifactError           an artifact cannot be used
│   └── DamagedError        it is damaged, or does not fit the others; `key` names it
│       └── MissingError    it is gone, though another one names it (a NotFoundError, too)
├── BusyError               more is asked for than can be answered soon
├── StorageError            a location cannot be read or written
│   └── UnreadableError     this object cannot be read now, though its neighbors may
├── QueueError              a queue cannot be read or written
└── DeploymentError         a deployed stack cannot be asked what it is
"""

# What heals artifacts, as errors and health say it.
PINNED = (
    "install the libraries that this release pins (requirements.txt; on AWS: deploy again), or "
    "promote a model that was made with these"
)
REPAIR = "run `lens repair` (of a stack: `lens repair --stack NAME`)"


class LensError(Exception):
    """Root of the tree; `str(error)` is one line fit for a person."""


class UsageError(LensError):
    """The caller asked for something that makes no sense."""


class PinnedError(UsageError):
    """Refused while searches are pinned to an earlier commit."""


class FieldError(UsageError):
    """A field of a search that makes no sense; its name comes first: `unlike: ...`."""


class FilterError(UsageError):
    """A filter or facet that nothing can be found with."""


class CursorError(UsageError):
    """A cursor that is damaged, or of another search."""


class SearchAgainError(LensError):
    """What a cursor goes on with is gone."""


class PhotoError(LensError):
    """This photo cannot be used; nothing else is affected."""


class NotAnImageError(PhotoError):
    """No decoder knows the bytes."""


class UnsupportedImageError(PhotoError):
    """A known image type that is not accepted."""


class BrokenImageError(PhotoError):
    """An accepted type, but truncated or corrupt."""


class PhotoTooLargeError(PhotoError):
    """More bytes than the limit."""


class TooManyPixelsError(PhotoError):
    """More pixels than the limit, found before decoding."""


class FetchError(LensError):
    """A photo cannot be fetched from its address."""


class AddressRefusedError(FetchError):
    """The address may not be reached from here."""


class HostError(FetchError):
    """The address's host cannot answer now; `retry_after` is in seconds, where it says."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotFoundError(LensError):
    """The named object, item, photo, commit or model does not exist."""


class NotExplainedError(NotFoundError):
    """The model cannot tell why photos are alike."""


class ConflictError(LensError):
    """A conditional write lost: the object is not as the writer saw it."""


class ArtifactError(LensError):
    """An artifact cannot be used."""


class DriftError(ArtifactError):
    """The libraries here embed otherwise than those that a model, and so its gallery, was made
    with."""

    def __init__(self, model_id: str, here: str, before: str, similarity: float) -> None:
        super().__init__(
            f"{here} embeds otherwise than {before}, with which {model_id} was made: its probe is "
            f"only {similarity:.3f} like itself. {PINNED}"
        )


class DamagedError(ArtifactError):
    """The artifact `key` is damaged, or does not fit the others."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(f"{key} is damaged ({what}): {REPAIR}")
        self.key, self.what = key, what


class MissingError(DamagedError, NotFoundError):
    """The artifact `key` is gone, though another one names it: it is lost, or the collector has
    removed it since that one was read."""

    def __init__(self, key: str) -> None:
        LensError.__init__(self, f"{key} is missing: {REPAIR}")
        self.key, self.what = key, "it is missing"


class BusyError(LensError):
    """More is asked for than can be answered soon; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StorageError(LensError):
    """A location cannot be read or written."""


class UnreadableError(StorageError):
    """This object cannot be read now, though its neighbors may: it is archived, say, or locked."""


class QueueError(LensError):
    """A queue cannot be read or written."""


class DeploymentError(LensError):
    """A deployed stack cannot be asked what it is."""
