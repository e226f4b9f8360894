"""One clock: every transition takes the clock as it was and returns it as it is afterwards.

Time used so far and the start of the running stretch are kept instead of the elapsed time, so nothing has to tick.
A moment equal to the due time is late: the timer that fires at it and the reply that arrives at it must agree.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from business_time.calendar import BusinessCalendar
from sla_engine.domain.policies import Policy
from sla_engine.domain.steps import done_name, first_moments, lateness, moment_after, with_next_step
from ticket_contracts.tickets import ClockState
from ticket_contracts.vocabulary import ClockStatus, Metric

_SECOND = timedelta(seconds=1)

NEVER = datetime.min.replace(tzinfo=UTC)
"""Before everything."""


class DueTransition(NamedTuple):
    """The next thing time alone does to a clock: a warning at `percent`, a step of its policy, else the breach."""

    at: datetime
    clock: ClockState
    percent: int | None = None
    step: str | None = None


def is_open(clock: ClockState) -> bool:
    """Whether the clock still waits for what will stop it; a breached one does."""
    return clock.stopped_at is None and clock.status is not ClockStatus.CANCELLED


def is_paused(clock: ClockState) -> bool:
    """Whether business time passes the clock by; a breached clock can be paused too (rule 19)."""
    return is_open(clock) and clock.counted_from is None


def due_transition(clock: ClockState) -> DueTransition | None:
    """Return the next warning, step or breach; None when time alone changes nothing.

    Of a warning, a step and a breach of the same moment the warning comes first, for the step belongs to it.
    """
    due: DueTransition | None = None
    if clock.status is ClockStatus.RUNNING:
        assert clock.due_at is not None  # every running clock has one; only a pause takes it away
        warned_first = clock.next_warning_at is not None
        due = DueTransition(clock.next_warning_at or clock.due_at, clock, clock.next_warning_percent)
        if clock.next_step_at is None or clock.next_step_at > due.at or (warned_first and clock.next_step_at == due.at):
            return due
    if clock.next_step_at is not None:
        due = DueTransition(clock.next_step_at, clock, step=clock.next_step)
    return due


def start(
    metric: Metric,
    cycle: int,
    policy: Policy,
    calendar: BusinessCalendar,
    target_seconds: int,
    at: datetime,
    cause: str,
    seen_at: datetime,
) -> ClockState:
    """Start at the next opening (rule 2). `seen_at` is when we learned of it, perhaps much later than `at`."""
    target = target_seconds * 1_000_000  # microseconds
    percent = policy.warnings[0] if policy.warnings else None
    opening, due_at, warning_at = first_moments(calendar, at, target, target * (percent or 100) // 100)
    clock = ClockState(
        metric=metric,
        cycle=cycle,
        status=ClockStatus.RUNNING,
        policy=policy.name,
        policy_version=policy.version,
        calendar=policy.calendar,
        target_seconds=target_seconds,
        counted_from=opening,
        started_at=opening,
        due_at=due_at,
        next_warning_percent=percent,
        next_warning_at=None if percent is None else warning_at,
        causes={"started": cause},
    )
    clock = with_next_step(clock, policy.steps, calendar)
    if percent is None or seen_at < warning_at:
        return clock
    return _without_lower_warnings(clock, policy, calendar, seen_at)


def _without_lower_warnings(
    clock: ClockState, policy: Policy, calendar: BusinessCalendar, seen_at: datetime
) -> ClockState:
    """Of the thresholds already past at the start only the highest is warned of, dated at its own time (rule 42)."""
    spent = used(clock, calendar, seen_at)
    percent = max(percent for percent in policy.warnings if _share(clock, percent) <= spent)
    warning_at = moment_after(calendar, clock.started_at, _share(clock, percent))
    return _changed(clock, next_warning_percent=percent, next_warning_at=warning_at)


def left(clock: ClockState, calendar: BusinessCalendar, at: datetime) -> timedelta:
    """Return the business time left at `at`; nothing when it is late."""
    return max(timedelta(seconds=clock.target_seconds) - used(clock, calendar, at), timedelta())


def used(clock: ClockState, calendar: BusinessCalendar, at: datetime) -> timedelta:
    """Return the business time used until `at`."""
    before = _spent(clock)
    return before if clock.counted_from is None else before + calendar.between(clock.counted_from, at)


def pause(clock: ClockState, calendar: BusinessCalendar, at: datetime, cause: str) -> ClockState:
    """Freeze the business time used (rule 16). A breach already recorded stays one (rule 19)."""
    changes = {
        "counted_from": None,
        "paused_at": at,
        "causes": _caused(clock, "paused", cause),
        **_used(used(clock, calendar, at)),
        **_ceased(clock, calendar, at),
    }
    if clock.status is ClockStatus.RUNNING:
        changes |= {"status": ClockStatus.PAUSED, "due_at": None, "next_warning_at": None, "next_warning_percent": None}
    return _changed(clock, **changes)


def resume(clock: ClockState, policy: Policy, calendar: BusinessCalendar, at: datetime, cause: str) -> ClockState:
    """Run on: the due time moves by the business time paused (rule 16).

    A message received before the pause, but handled after it, ends the pause where it began: what was used until
    then is counted already.
    """
    start_again = at if clock.paused_at is None else max(at, clock.paused_at)
    resumed = _changed(clock, counted_from=start_again, paused_at=None, causes=_caused(clock, "resumed", cause))
    if clock.status is ClockStatus.BREACHED:
        return with_next_step(resumed, policy.steps, calendar)
    return _foresee(_changed(resumed, status=ClockStatus.RUNNING), policy, calendar)


def retarget(
    clock: ClockState, policy: Policy, calendar: BusinessCalendar, target_seconds: int, at: datetime, cause: str
) -> ClockState:
    """Give a clock another target, counted from its start with pauses carried over (rule 28, `from_start`).

    What the new target makes late is late from now on, not from before anybody promised it; of the thresholds it has
    passed only the highest is warned of (rule 42).
    """
    spent = used(clock, calendar, at)
    causes = _caused(clock, "retargeted", cause)
    if clock.status is not ClockStatus.RUNNING:
        return _changed(clock, target_seconds=target_seconds, causes=causes)
    counted = _changed(
        clock,
        target_seconds=target_seconds,
        counted_from=at if clock.counted_from is None else max(at, clock.counted_from),
        causes=causes,
        **_used(spent),
    )
    running = _foresee(counted, policy, calendar)
    passed = [percent for percent in policy.warnings if _share(running, percent) <= spent]
    if spent >= timedelta(seconds=target_seconds):
        return _changed(running, next_warning_at=None, next_warning_percent=None)
    if passed and passed[-1] > clock.warned_percent:
        return _changed(running, next_warning_at=at, next_warning_percent=passed[-1])
    return running


def recount(
    clock: ClockState, policy: Policy, calendar: BusinessCalendar, target_seconds: int, at: datetime, cause: str
) -> ClockState:
    """Give a clock another target, counted from now (rule 28, `from_now`). Warnings given are not given again."""
    changes = {"target_seconds": target_seconds, "causes": _caused(clock, "retargeted", cause), **_used(timedelta())}
    if clock.status is not ClockStatus.RUNNING:
        return _changed(clock, **changes)
    return _foresee(_changed(clock, counted_from=at, **changes), policy, calendar)


def recalculate(clock: ClockState, policy: Policy, calendar: BusinessCalendar, at: datetime, cause: str) -> ClockState:
    """Work the due time out anew under the calendar as it is now (rule 34); what that makes late is late from now.

    Of a clock that is late already only the next step may move.
    """
    late = clock.status is ClockStatus.BREACHED
    anew = clock if late else retarget(clock, policy, calendar, clock.target_seconds, at, cause)
    anew = with_next_step(anew, policy.steps, calendar)
    return _changed(anew, causes=_caused(clock, "recalculated", cause))


def moved(due: DueTransition, policy: Policy, calendar: BusinessCalendar) -> bool:
    """Whether something comes at another time than was worked out: the calendar was edited since (rule 34).

    What comes earlier by that, is late from this moment on, as after a recalculation: nothing is dated before it.
    """
    clock = due.clock
    assert clock.counted_from is not None  # only for a clock that counts anything is due
    assert clock.due_at is not None
    if clock.status is ClockStatus.RUNNING and moment_after(calendar, clock.counted_from, _left(clock)) != clock.due_at:
        return True
    if due.step is None:
        return False
    anew = with_next_step(clock, policy.steps, calendar)
    return anew.next_step != due.step or anew.next_step_at is None or anew.next_step_at > due.at


def carry_on(
    clock: ClockState, policy: Policy, calendar: BusinessCalendar, target_seconds: int, at: datetime, cause: str
) -> ClockState:
    """Start the next cycle under another policy with the time that `clock`, just cancelled, has used (rules 31, 41)."""
    running = clock.paused_at is None
    fresh = ClockState(
        metric=clock.metric,
        cycle=clock.cycle + 1,
        status=ClockStatus.RUNNING if running else ClockStatus.PAUSED,
        policy=policy.name,
        policy_version=policy.version,
        calendar=policy.calendar,
        target_seconds=clock.target_seconds,
        used_seconds=clock.used_seconds,
        used_microseconds=clock.used_microseconds,
        counted_from=at if running else None,
        paused_at=clock.paused_at,
        started_at=clock.started_at,
        warned_percent=clock.warned_percent,
        steps_done=clock.steps_done,
        causes={"started": cause},
    )
    started = retarget(fresh, policy, calendar, target_seconds, at, cause)
    return _changed(started, causes={"started": cause})


def reopen(clock: ClockState, policy: Policy, calendar: BusinessCalendar, at: datetime, cause: str) -> ClockState:
    """Let a stopped clock go on where it stopped; the time between is not counted (rule 22, `continue`)."""
    going_on = _changed(clock, counted_from=at, stopped_at=None, causes=_caused(clock, "resumed", cause))
    if clock.status is ClockStatus.BREACHED:
        return with_next_step(going_on, policy.steps, calendar)
    return _foresee(_changed(going_on, status=ClockStatus.RUNNING), policy, calendar)


def warn(clock: ClockState, policy: Policy, calendar: BusinessCalendar, percent: int, cause: str) -> ClockState:
    """Record that a threshold was given, each once (rule 42)."""
    warned = _changed(clock, warned_percent=percent, causes=_caused(clock, "warned", cause))
    return _foresee(warned, policy, calendar)


def breach(clock: ClockState, policy: Policy, calendar: BusinessCalendar, cause: str) -> ClockState:
    """Record the breach at the due time; the clock goes on counting its lateness."""
    breached = _changed(
        clock, status=ClockStatus.BREACHED, breached_at=clock.due_at, causes=_caused(clock, "breached", cause)
    )
    return with_next_step(breached, policy.steps, calendar)


def take_step(clock: ClockState, step: str, policy: Policy, calendar: BusinessCalendar, cause: str) -> ClockState:
    """Record that an escalation step has run, each once (rule 45)."""
    done = (*clock.steps_done, done_name(clock.policy, step))
    taken = _changed(clock, steps_done=done, causes=_caused(clock, "escalated", cause))
    return with_next_step(taken, policy.steps, calendar)


def take_over(
    clock: ClockState, cancelled: ClockState, since: datetime, policy: Policy, calendar: BusinessCalendar
) -> ClockState:
    """Return a clock that stands in the place of a cancelled one: the steps of that are not taken again.

    It does when it counts from before the end of that one; later words of the customer are another promise.
    """
    assert cancelled.stopped_at is not None  # `cancel` stops first
    if not cancelled.steps_done or since > cancelled.stopped_at:
        return clock
    return with_next_step(_changed(clock, steps_done=cancelled.steps_done), policy.steps, calendar)


def may_withdraw(clock: ClockState, at: datetime) -> bool:
    """Whether a stop dated `at` shows a recorded breach to be none (rule 9)."""
    return clock.status is ClockStatus.BREACHED and clock.due_at is not None and at < clock.due_at


def withdraw_breach(clock: ClockState, calendar: BusinessCalendar, at: datetime, cause: str) -> ClockState:
    """Take the breach back; what `at` dates then stops the clock as met. Used time is what was left before due."""
    assert clock.due_at is not None  # `may_withdraw` has seen to it
    spent = timedelta(seconds=clock.target_seconds) - calendar.between(at, clock.due_at)
    return _changed(
        clock,
        status=ClockStatus.RUNNING,
        breached_at=None,
        stopped_at=None,
        counted_from=None,
        late=None,
        next_step=None,
        next_step_at=None,
        causes=_caused(clock, "breach-withdrawn", cause),
        **_used(max(spent, timedelta())),
    )


def stop(clock: ClockState, calendar: BusinessCalendar, at: datetime, cause: str) -> ClockState:
    """End the clock: met, unless its breach is recorded."""
    breached = clock.status is ClockStatus.BREACHED
    return _changed(
        clock,
        status=ClockStatus.BREACHED if breached else ClockStatus.MET,
        stopped_at=at,
        counted_from=None,
        paused_at=None,
        next_warning_at=None,
        next_warning_percent=None,
        causes=_caused(clock, "stopped" if breached else "met", cause),
        **_used(used(clock, calendar, at)),
        **_ceased(clock, calendar, at),
    )


def cancel(clock: ClockState, calendar: BusinessCalendar, at: datetime, cause: str, reason: str) -> ClockState:
    """End the clock without a result."""
    return _changed(
        stop(clock, calendar, at, cause),
        status=ClockStatus.CANCELLED,
        cancel_reason=reason,
        causes=_caused(clock, "cancelled", cause),
    )


def _foresee(clock: ClockState, policy: Policy, calendar: BusinessCalendar) -> ClockState:
    """Work out the due time and the next warning of a running clock."""
    assert clock.counted_from is not None  # only running clocks come here
    spent = _spent(clock)
    percent = next((percent for percent in policy.warnings if percent > clock.warned_percent), None)
    share = None if percent is None else _share(clock, percent) - spent
    foreseen = _changed(
        clock,
        due_at=moment_after(calendar, clock.counted_from, _left(clock)),
        next_warning_percent=percent,
        next_warning_at=None if share is None else moment_after(calendar, clock.counted_from, share),
    )
    return with_next_step(foreseen, policy.steps, calendar)


def _ceased(clock: ClockState, calendar: BusinessCalendar, at: datetime) -> dict[str, object]:
    """Of a clock that stops counting for now or for good: no step comes, and lateness is kept."""
    ceased: dict[str, object] = {"next_step": None, "next_step_at": None}
    if clock.status is ClockStatus.BREACHED:
        ceased["late"] = lateness(clock, calendar, at)
    return ceased


def _spent(clock: ClockState) -> timedelta:
    return timedelta(seconds=clock.used_seconds, microseconds=clock.used_microseconds)


def _left(clock: ClockState) -> timedelta:
    return timedelta(seconds=clock.target_seconds) - _spent(clock)


def _share(clock: ClockState, percent: int) -> timedelta:
    return timedelta(seconds=clock.target_seconds) * percent / 100


def _used(spent: timedelta) -> dict[str, object]:
    return {"used_seconds": spent // _SECOND, "used_microseconds": spent.microseconds}


def _caused(clock: ClockState, transition: str, cause: str) -> dict[str, str]:
    return {**clock.causes, transition: cause}


def _changed(clock: ClockState, **changes: object) -> ClockState:
    # Unvalidated: every value here comes from a validated clock or from the arithmetic above.
    return clock.model_copy(update=changes)
