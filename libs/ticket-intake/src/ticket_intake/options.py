"""What every provider's options have in common."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr


class SourceOptions(BaseModel):
    """Options of one source in the sources file. An option that does not exist is an error, not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    time_trusted: bool = Field(
        default=False,
        description="Let the provider's own time count for the SLA; only for a clock that you would bet a breach on",
    )


TOKENS = "tokens"
"""The option under which `sources` hands over the resolved `tokens:` of an entry; a file cannot set it itself."""


def _at_least_one(tokens: object) -> object:
    if not tokens:
        raise ValueError("this provider needs one; write it beside `secrets`, as env:NAME or file:/path")
    return tokens


Tokens = Annotated[tuple[SecretStr, ...], BeforeValidator(_at_least_one), Field(validate_default=True)]
"""All are active, like secrets."""


class TokenOptions(SourceOptions):
    """Options of a provider that proves itself by tokens too, e.g. Meta's verify token."""

    tokens: Tokens = ()

    @property
    def token_bytes(self) -> tuple[bytes, ...]:
        return tuple(token.get_secret_value().encode() for token in self.tokens)
