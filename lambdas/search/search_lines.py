"""Search lines: what is kept of a search and of a click, as a line of JSON each.

Nothing of a photo is in them, not its hash either, and nothing of the person who searched.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from lens.search.matching import Word

Kind = Literal["photo", "url", "item"]
SEARCH_ID = r"^[A-Za-z0-9_-]{16}$"
LONGEST_ITEM_ID = 1024  # an object's key in S3 is no longer


class SearchLine(BaseModel):
    """A search that was answered."""

    model_config = ConfigDict(frozen=True)

    event: Literal["search"] = "search"
    time: AwareDatetime
    search_id: str = Field(pattern=SEARCH_ID)  # random
    kind: Kind  # what was searched with
    category: str | None  # as it was asked for; cut where it is too long to be one
    group: str
    match: Word | None
    match_probability: float | None
    hits: int = Field(ge=0)
    items: tuple[str, ...]  # of the first hits, each once

    @property
    def found(self) -> bool:
        """Whether anything like it was found; where the model cannot tell, anything at all."""
        return self.hits > 0 and self.match != "none"


class ClickLine(BaseModel):
    """A click on the way to a product that was found."""

    model_config = ConfigDict(frozen=True)

    event: Literal["click"] = "click"
    time: AwareDatetime
    search_id: str = Field(pattern=SEARCH_ID)
    item_id: str = Field(max_length=LONGEST_ITEM_ID)
    rank: int = Field(ge=1)


Line = Annotated[SearchLine | ClickLine, Field(discriminator="event")]
_LINE: TypeAdapter[SearchLine | ClickLine] = TypeAdapter(Line)


def read_line(data: bytes | str) -> SearchLine | ClickLine:
    """The line that this is; ValueError for anything else."""
    return _LINE.validate_json(data)


def written(line: SearchLine | ClickLine) -> bytes:
    """A line as it is kept, its end included."""
    return line.model_dump_json().encode() + b"\n"
