"""For whom a message counts, when somebody opens too many conversations."""

import pytest

from ticket_contracts.messages import Authentication
from ticket_contracts.vocabulary import AuthenticationResult
from ticket_router.domain.floods import UNPROVEN, counted_as

ANN = ("acme", "email", "ann@customer.example")


@pytest.mark.parametrize(
    "authentication",
    [
        Authentication(dmarc=AuthenticationResult.FAIL),
        Authentication(dmarc=AuthenticationResult.UNDECIDED, spf=AuthenticationResult.PASS),
        Authentication(),
    ],
    ids=str,
)
def test_mail_in_somebodys_name_that_nothing_proves_counts_apart(authentication: Authentication) -> None:
    assert counted_as(ANN, authentication) == ("acme", "email", f"ann@customer.example {UNPROVEN}")


@pytest.mark.parametrize("authentication", [None, Authentication(dmarc=AuthenticationResult.PASS)], ids=str)
def test_a_proven_sender_and_one_of_whom_no_server_speaks_count_for_themselves(
    authentication: Authentication | None,
) -> None:
    assert counted_as(ANN, authentication) == ANN
