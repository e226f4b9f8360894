"""What the routes work with, put together by wiring."""

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from crm_api.authenticate import Authenticator
from crm_api.calendar_book import CalendarBook
from crm_api.plan_turns import PlanTurns
from crm_api.send_command import CommandDesk
from ticket_store.sessions import Pool


@dataclass(frozen=True, slots=True)
class Parts:
    """One per process."""

    engine: AsyncEngine
    authenticator: Authenticator
    desk: CommandDesk
    calendars: CalendarBook
    configuration: Pool
    """For what `ticket_store.configuration` does in transactions of its own."""
    plan_turns: PlanTurns = field(default_factory=PlanTurns)
