import asyncpg
import pytest
from pydantic import BaseModel, ValidationError

from ticket_contracts.envelope import NotAnEvent
from ticket_stream.failure_classes import FailureClass, classify, describe
from ticket_stream.failures import PoisonRecord, UnknownType


class Model(BaseModel):
    number: int


def invalid() -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"number": "secret"})
    return caught.value


def of_table(error: asyncpg.PostgresError, table: str) -> asyncpg.PostgresError:
    error.table_name = table
    return error


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.IdleInTransactionSessionTimeoutError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.SerializationError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.DiskFullError(),
        asyncpg.LockNotAvailableError(),
        asyncpg.AdminShutdownError(),
        asyncpg.CannotConnectNowError(),
        asyncpg.InvalidCachedStatementError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("another operation is in progress"),
        ConnectionResetError(),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_surroundings_are_at_fault_for_is_tried_again(error: Exception) -> None:
    assert classify(error) is FailureClass.AGAIN


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.CharacterNotInRepertoireError(),
        asyncpg.NumericValueOutOfRangeError(),
        asyncpg.UniqueViolationError(),
        asyncpg.ForeignKeyViolationError(),
        asyncpg.ProgramLimitExceededError(),
        asyncpg.QueryCanceledError(),
        asyncpg.exceptions._base.DataError("invalid input for query argument $1"),
        PoisonRecord("why"),
        NotAnEvent("ce_id: absent"),
        invalid(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_one_record_is_at_fault_for_is_looked_for(error: Exception) -> None:
    assert classify(error) is FailureClass.BISECT


@pytest.mark.parametrize(
    "error",
    [
        UnknownType("firebreak.x.v9"),
        of_table(asyncpg.UniqueViolationError(), "outbox"),
        of_table(asyncpg.UniqueViolationError(), "stream_seen"),
        of_table(asyncpg.UniqueViolationError(), "versions"),
        asyncpg.UndefinedTableError(),
        asyncpg.FeatureNotSupportedError(),
        KeyError("a bug"),
        ValueError("a bug"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_code_is_at_fault_for_pauses(error: Exception) -> None:
    assert classify(error, {"versions"}) is FailureClass.PAUSE


def test_a_description_names_the_fault_but_not_the_words_of_a_customer() -> None:
    assert "number" in describe(invalid())
    assert "secret" not in describe(invalid())
    refused = asyncpg.InvalidTextRepresentationError()
    refused.message = 'invalid input syntax for type uuid: "secret"'
    assert describe(refused) == "InvalidTextRepresentationError 22P02: invalid input syntax for type uuid"
    misfit = asyncpg.exceptions._base.DataError("invalid input for query argument $1: 'secret' (expected int)")
    assert describe(misfit) == "DataError: invalid input for query argument $1"


def test_a_description_fits_every_table_and_log_whatever_a_record_holds() -> None:
    told = describe(UnknownType("firebreak.\0\ud800" + "x" * 100_000))
    assert told.startswith("UnknownType: firebreak.\N{REPLACEMENT CHARACTER}?")
    assert len(told) <= 1_000
