"""Checks of what policies promise: one that no ticket can reach, escalations that cannot happen."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ticket_contracts.vocabulary import Priority
from ticket_store.configuration_findings import MOST_YEARS, Finding, FoundDocument, Names, Problem, is_endless, title
from ticket_store.documents import Agent, EscalationStep, Match, Policy, Team

MOST_STEPS = 50
"""Of one policy: their names stand in every fact of a clock that took them, and that has to fit into an event."""


def unreachable(found: Sequence[FoundDocument]) -> Iterator[Problem]:
    """Yield policies behind one that takes all their tickets. One that begins at a date leaves the older ones over."""
    policies = [(each.file, each.document) for each in found if isinstance(each.document, Policy)]
    policies.sort(key=lambda each: each[1].order)
    for index, (file, policy) in enumerate(policies):
        for _, earlier in policies[:index]:
            if earlier.order < policy.order and earlier.effective_from is None and _covers(earlier.match, policy.match):
                fix = f"policy/{earlier.name} comes first and takes all its tickets; give this one a lower order"
                yield Problem(file, title(policy), "match", fix)
                break


def _covers(earlier: Match, later: Match) -> bool:
    """Whether each ticket that the later one matches is matched by the earlier one already."""
    return all(
        not wide or (narrow and set(narrow) <= set(wide))
        for wide, narrow in (
            (earlier.brands, later.brands),
            (earlier.channels, later.channels),
            (earlier.teams, later.teams),
            (earlier.tags, later.tags),
        )
    )


def escalations(policy: Policy, names: Names) -> Iterator[Finding]:
    """Yield steps that could never run, that tell nobody, or that name what does not exist."""
    if len(policy.escalations) > MOST_STEPS:
        yield "escalations", f"{len(policy.escalations)} steps; every clock remembers those it took, {MOST_STEPS} fit"
    for name, count in Counter(step.name for step in policy.escalations).items():
        if count > 1:
            yield "escalations", f"{count} steps are named {name!r}, and each step runs once by its name; rename"
    for index, step in enumerate(policy.escalations):
        where = f"escalations.{index}"
        yield from ((f"{where}.{field}", fix) for field, fix in _step(policy, step))
        yield from names.recipients(f"{where}.notify", step.notify)
        yield from names.missing(f"{where}.reassign_team", Team, step.reassign_team)
        yield from names.missing(f"{where}.reassign_to", Agent, step.reassign_to)


def _step(policy: Policy, step: EscalationStep) -> Iterator[Finding]:
    if not policy.targets.get(step.metric):
        yield (
            "metric",
            f"the policy promises no {step.metric}, so this step never runs; add a target or remove the step",
        )
    point, _, percent = step.at.partition(":")
    if point == "warning" and int(percent) not in policy.warnings:
        known = ", ".join(str(each) for each in policy.warnings) or "none"
        yield "at", f"there is no warning at {percent} % (warnings: {known}); add it to warnings"
    _, _, after = step.at.partition("+")
    if after and is_endless(after):
        yield "at", f"nobody lives to see it; give less than {MOST_YEARS} years"
    if not (step.notify or step.reassign_team or step.reassign_to or step.raise_priority):
        yield "notify", "the step does nothing; say whom to notify, where to reassign, or raise_priority"
    if step.raise_priority:
        yield from _lost_by_raising(policy)


def _lost_by_raising(policy: Policy) -> Iterator[Finding]:
    """Yield promises that a higher priority would end: no clock runs for what is not promised."""
    for metric, promised in policy.targets.items():
        for priority, higher in pairwise(Priority):
            if priority in promised and higher not in promised:
                fix = f"from {priority} it leads to {higher}, for which no {metric} is promised; add a target"
                yield "raise_priority", fix
