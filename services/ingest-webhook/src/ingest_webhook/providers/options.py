"""What every provider's options have in common."""

from pydantic import BaseModel, ConfigDict, Field


class SourceOptions(BaseModel):
    """Options of one source in the sources file. An option that does not exist is an error, not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time_trusted: bool = Field(
        default=False,
        description="Let the provider's own time count for the SLA; only for a clock that you would bet a breach on",
    )
