"""Refuse query parameters that a route does not know: a filter with a typing error in it would list everything."""

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant

from service_kit.problems import FieldProblem, ProblemError

MOST_NAMED, LONGEST_NAME = 10, 100
"""Of what was sent a refusal repeats no more than this: a query may hold thousands of names, and long ones."""


async def refuse_unknown_query(request: Request) -> None:
    """:raises ProblemError: 422 that names each parameter the route does not know, and those it does."""
    known = dict.fromkeys(_query_names(request.scope["route"].dependant))
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        fix = f"send only {', '.join(known)}" if known else "leave it out: no query parameter is known here"
        errors = [
            FieldProblem(field=f"query.{name[:LONGEST_NAME]}", message="there is no such parameter", fix=fix)
            for name in unknown[:MOST_NAMED]
        ]
        raise ProblemError(422, "The request is not valid", type="/problems/invalid-request", errors=errors)


def _query_names(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        yield parameter.alias
    for each in dependant.dependencies:
        yield from _query_names(each)
