"""How much of another desk's `made_sla` do our clocks reproduce? `python -m tools.servicenow_report LOG.csv.gz`

The log is the development data `servicenow_incidents_dev.csv.gz`: one row per change of an incident. Every incident is
imported as `firebreak import` would (original times, the engine's own rules), under one policy per priority. The desk
tells neither targets nor hours. First they are fitted on the incidents with an even place in the log and judged on the
others; then on all, to say how far the log narrows them and what it refutes. It takes a minute or two.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.servicenow_causes import (
    OTHER_READINGS,
    SIMPLE_RULES,
    UNTIL_FIRST_CLOSED,
    Contest,
    Judged,
    Verdict,
    causes,
    contest,
    judge,
    late_by_waiting,
    own_rule,
    peculiar,
    unexplained,
)
from tools.servicenow_fit import Window, desk_hours, measure
from tools.servicenow_log import Incident, read_incidents

NAMED = 5  # hours that fit equally well; a short log leaves hundreds


def lines(incidents: Sequence[Incident]) -> Iterator[str]:
    """Yield the report."""
    turned = Counter(incident.turned_late_in for incident in incidents if incident.turned_late_in)
    states = ", ".join(f"{number} in a row {state}" for state, number in turned.most_common())
    yield f"{len(incidents)} incidents. made_sla turns false in {turned.total()}: {states or 'no row'}"
    yield from _other_half(incidents[0::2], incidents[1::2])
    yield from _whole_log(incidents)


def _other_half(fitted: Sequence[Incident], judged: Sequence[Incident]) -> Iterator[str]:
    hours = desk_hours(measure(fitted, UNTIL_FIRST_CLOSED))
    own = judge(own_rule(hours[0]), fitted, judged)
    simple = [judge(rule, fitted, judged) for rule in SIMPLE_RULES]
    yield "\nFitted on every other incident, judged on the rest"
    for each in (*simple, own):
        number = len(each.verdicts)
        yield f"  {each.agreeing:5} of {number} agree  {each.agreeing / max(number, 1):7.2%}  {each.rule.name}"
    yield _hours(hours)
    for each in simple:
        yield from _why(each, causes(each, own))
    yield from _why(own, [(verdict, unexplained(verdict)) for verdict in own.verdicts if not verdict.agrees])


def _hours(best: Sequence[Window]) -> str:
    named = ", ".join(f"{opens:02}-{closes:02}" for opens, closes in best[:NAMED])
    more = f" and {len(best) - NAMED} more" if len(best) > NAMED else ""
    return f"  of all whole hours, Monday to Friday, fit best: {named}{more}; the first is taken"


def _why(judged: Judged, found: Sequence[tuple[Verdict, str]]) -> Iterator[str]:
    yield f"\nWhy {len(found)} differ: {judged.rule.name}"
    yield f"  {'count':>5}  {'why':58}  example"
    examples = {why: verdict for verdict, why in reversed(found)}
    for why, number in Counter(why for _, why in found).most_common():
        yield f"  {number:5}  {why:58}  {_example(examples[why])}"


def _example(verdict: Verdict) -> str:
    told = "met" if verdict.incident.made_sla else "missed"
    ran = "without end" if verdict.seconds is None else f"{verdict.seconds / 3600:.1f}"
    return f"{verdict.incident.number} {told} there, ran {ran} of {verdict.terms.span.target / 3600:.1f} h"


def _whole_log(incidents: Sequence[Incident]) -> Iterator[str]:
    hours = desk_hours(measure(incidents, UNTIL_FIRST_CLOSED))
    own = judge(own_rule(hours[0]), incidents, incidents)
    contests = [contest(own.verdicts, reading, own.terms) for reading in OTHER_READINGS]
    yield f"\nFitted on all: {own.agreeing} of {len(own.verdicts)} agree  {own.rule.name}"
    yield _hours(hours)
    yield from _terms(own)
    yield "\nOther readings, with the same terms: what each judges otherwise, and the side that made_sla takes"
    for each in contests:
        yield f"  {each.reading.name:40} {_sides(each)}"
    yield from _left(own, contests)


def _sides(each: Contest) -> str:
    return f"{len(each.with_it)} on its side, {len(each.with_us)} on ours"


def _terms(own: Judged) -> Iterator[str]:
    for priority, terms in own.terms.items():
        judged = [verdict for verdict in own.verdicts if verdict.terms is terms]
        late = [late_by_waiting(verdict) for verdict in judged if not verdict.incident.made_sla]
        agreeing = f"{sum(verdict.agrees for verdict in judged):5} of {len(judged):5} agree"
        waited = f"{len(late)} missed, {sum(late)} of them by the wait from Resolved to Closed alone"
        yield f"  {priority:7} {terms.calendar.name:13} {terms.span!s:38} {agreeing}; {waited}"


def _left(own: Judged, contests: Sequence[Contest]) -> Iterator[str]:
    """Yield each difference that is left, and the reading that explains it, if the log bears one out."""
    left = [verdict for verdict in own.verdicts if not verdict.agrees]
    yield f"\n{len(left)} differ"
    for verdict in left:
        agreeing = [each for each in contests if verdict.incident in each.with_it]
        why = next((each.reading.name for each in agreeing if not each.refuted), unexplained(verdict))
        yield f"  {_example(verdict)}: {why}"
        for each in contests:
            judges = f"would agree: {_sides(each)}" if each in agreeing else "judges it alike"
            yield f"    {each.reading.name:40} {judges}"
    for each in contests:
        if only := peculiar(each.with_it, each.with_us):
            named = ", ".join(f"{column} {value}" for column, value in only.items())
            yield f"  those that would agree {each.reading.name} have in common, and no other: {named}"


def main() -> None:
    """Print the report of the log that the command line names."""
    for line in lines(read_incidents(Path(sys.argv[1]))):
        print(line)


if __name__ == "__main__":
    main()
