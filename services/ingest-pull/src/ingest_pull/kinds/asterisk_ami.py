"""Kind `asterisk-ami`: calls as the exchange tells them, by its manager interface.

It tells nothing twice and keeps nothing for who was away. Where the files can be read, read them (`asterisk-cdr`); with
the same `account` both can run, and a call that both tell is one record.
"""

from collections.abc import AsyncIterator, Mapping

from pydantic import Field

from ingest_pull.ami_connection import Login, ManagerAddress, ManagerAway, ManagerRefused, open_manager
from ingest_pull.call_messages import CallMessages, NoVoicemails, SwitchOptions
from ingest_pull.compose_outgoing import Composer, PullSource
from ingest_pull.domain.ami_packets import read_call
from ingest_pull.domain.asterisk_cdr import RowUnreadable
from ingest_pull.domain.call_so_far import CallSoFar
from ingest_pull.kinds.file_options import UTC_ZONE, Zone
from ingest_pull.kinds.parts import JobParts, SecretsWrong
from ingest_pull.pull_metrics import PullMetrics
from ticket_intake.source_checks import Attempt, failed, passed
from ticket_stream.leased_jobs import Turn

KIND = "asterisk-ami"
_LOOK_SECONDS = 1.0  # how often calls are looked at that wait for another row


class AmiOptions(SwitchOptions):
    host: str = Field(min_length=1)
    port: int = Field(default=5038, ge=1, le=65_535, description="5039 is usual for TLS")
    tls: bool = Field(default=False, description="Without it, only in a network of your own")
    login: Login = Field(default="md5", description="md5: the secret does not go over the line; plain: only with TLS")
    zone: Zone = Field(default=UTC_ZONE, description="of the times in call records, e.g. Asia/Shanghai")


class AsteriskAmi:
    """One exchange."""

    interval_seconds = 0.0  # `run` ends with the connection only

    def __init__(
        self, source: PullSource, options: AmiOptions, address: ManagerAddress, composer: Composer, metrics: PullMetrics
    ) -> None:
        self.name = f"{KIND}/{source.name}"
        self._source = source
        self._zone = options.zone
        self._address = address
        self._calls = CallMessages(options, "Asterisk", NoVoicemails())
        self._composer = composer
        self._metrics = metrics

    async def run(self, turn: Turn) -> None:
        """Listen for as long as the exchange speaks. Calls whose rows are not all there stand in the cursor."""
        known = (CallSoFar.model_validate(call) for call in turn.cursor.get("pending", ()))
        pending = {call.call_id: call for call in known}
        async with open_manager(self._address) as connection:
            while True:
                packets = await connection.next_events(_LOOK_SECONDS)
                changed = [packet for packet in packets if self._add(packet, pending)]
                messages = await self._calls.finished(pending, self._composer.now())
                if changed or messages:
                    waiting = [call.model_dump(mode="json", exclude_defaults=True) for call in pending.values()]
                    outgoing = await self._composer.compose(self._source, messages)
                    await turn.hand_over({"pending": waiting}, outgoing)

    async def try_out(self, _: str | None) -> AsyncIterator[Attempt]:
        """Log in and off, for who wants to know whether the source works. Calls go on to whoever else listens."""
        address = self._address
        what = f"log in as {address.user} at {address.host}:{address.port}, log off"
        try:
            async with open_manager(address) as connection:
                await connection.log_off()
        except ManagerRefused as error:
            yield failed(what, str(error), "check user, secret and `permit` in manager.conf, and `read = call,cdr`")
        except (ManagerAway, TimeoutError) as error:
            advice = "check host, port and tls; `enabled = yes` and `bindaddr` in manager.conf; firewalls in between"
            yield failed(what, str(error) or "no answer", advice)
        else:
            yield passed(what, "let in")

    def _add(self, packet: Mapping[str, str], pending: dict[str, CallSoFar]) -> bool:
        try:
            leg = read_call(packet, self._zone, self._composer.now())
        except RowUnreadable:
            self._metrics.unreadable(self._source.name)
            return False
        if leg is None:
            return False
        known = pending.pop(leg.call_id, None)
        pending[leg.call_id] = leg if known is None else known.with_leg(leg)
        return True


def build(parts: JobParts) -> AsteriskAmi:
    options = AmiOptions.model_validate(parts.options)
    if len(parts.secrets) != 1 or not all(parts.secrets[0].partition(":")):
        raise SecretsWrong("secrets: one is needed, `user:secret` of the account in manager.conf")
    user, _, secret = parts.secrets[0].partition(":")
    address = ManagerAddress(options.host, options.port, options.tls, user, secret, options.login)
    return AsteriskAmi(parts.source(options.time_trusted), options, address, parts.composer, parts.metrics)
