"""What the options of all sources that are files have in common."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from ingest_pull.domain.line_text import AUTO, known_encoding
from ingest_pull.domain.local_times import known_zone
from ingest_pull.followed_folder import Begin

UTC_ZONE = ZoneInfo("UTC")
Zone = Annotated[ZoneInfo, BeforeValidator(known_zone), PlainSerializer(str)]


def _folder(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("must be an absolute path")
    return path


class FileOptions(BaseModel):
    """Which files, and how they are written."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)

    folder: Annotated[Path, AfterValidator(_folder)] = Field(
        description="Where the files are; rotated ones must stay in it until they were read"
    )
    files: str = Field(min_length=1, description="Names of the files to follow, with * and ?")
    begin: Begin = Field(
        default="end",
        description="For files that are there at the very first start: `end` skips what they hold, `start` reads it",
    )
    encoding: Annotated[str, AfterValidator(known_encoding)] = Field(
        default=AUTO, description="of the files; auto: UTF-8, and GBK/GB18030 for lines that are not"
    )
    zone: Zone = Field(default=UTC_ZONE, description="of times without one, e.g. Asia/Shanghai")
    poll_seconds: float = Field(default=2.0, gt=0, le=3600, description="How often to look for new lines")
