"""For whom a message counts, when somebody opens too many conversations."""

from datetime import timedelta

import pytest

from ticket_contracts.messages import Authentication
from ticket_contracts.vocabulary import AuthenticationResult
from ticket_router.domain.floods import UNPROVEN, FloodLimits, counted_as

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


@pytest.mark.parametrize("pattern", ["*@Relay.example", "*@relay.EXAMPLE", "form@relay.example"])
@pytest.mark.parametrize("sender", ["Form@Relay.example", "form@relay.example"])
def test_a_relay_is_exempt_however_its_address_is_written(pattern: str, sender: str) -> None:
    limits = FloodLimits(1, timedelta(hours=1), 1, exempt=(pattern,))
    assert not limits.watches(("acme", "email", sender))
    assert limits.watches(("acme", "email", "form@other.example"))
