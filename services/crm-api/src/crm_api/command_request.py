"""Everything that can be asked of a ticket over the API."""

from typing import Annotated

from pydantic import Field

from crm_api.action_requests import ActionRequest
from crm_api.exchange_requests import ExchangeRequest
from crm_api.requests import AddNote, Assign, Reply, SetPriority, SetStatus

CommandRequest = Annotated[
    SetStatus | SetPriority | Assign | AddNote | Reply | ActionRequest | ExchangeRequest, Field(discriminator="type")
]
