from aiokafka.structs import TopicPartition

from ticket_stream.time_travel import ShortLogs

LOG = TopicPartition("in.v1", 0)


def test_a_log_that_stays_too_short_has_had_its_time() -> None:
    now = [0.0]
    logs = ShortLogs(lambda: now[0], 10.0)

    answers = []
    for now[0] in (0.0, 2.0, 4.0, 6.0, 8.0, 10.0):
        answers.append(logs.may_catch_up(LOG))
    assert answers == [True] * 5 + [False]


def test_a_broker_that_goes_away_again_while_it_recovers_gets_the_whole_time_anew() -> None:
    now = [0.0]
    logs = ShortLogs(lambda: now[0], 10.0)

    assert logs.may_catch_up(LOG)
    now[0] = 60.0
    assert logs.may_catch_up(LOG)
    logs.forget(LOG)
    now[0] = 61.0
    assert logs.may_catch_up(LOG)
