from ticket_stream.database_clock import DatabaseClock


def test_database_time_goes_on_between_two_calls_and_follows_a_step() -> None:
    monotonic = 50.0
    clock = DatabaseClock(lambda: monotonic)
    clock.set(1000.0)
    monotonic = 52.5

    assert clock.now() == 1002.5
    clock.set(900.0)
    assert clock.now() == 900.0
