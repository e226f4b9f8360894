from ticket_stream.seen import from_array, to_arrays

FIRST = "/firebreak/1/router/in.v1/"
SECOND = "/firebreak/2/router/in.v1/"


def test_an_array_holds_one_number_per_origin_partition_and_zero_where_nothing_came_from() -> None:
    arrays = to_arrays({FIRST + "0": 5}, {FIRST + "3": 9, FIRST + "0": 7})

    assert arrays == [("1/router/in.v1", "{7,0,0,9}")]


def test_origins_without_anything_fresh_are_not_written_again() -> None:
    arrays = to_arrays({FIRST + "0": 5, SECOND + "1": 6}, {SECOND + "0": 8})

    assert arrays == [("2/router/in.v1", "{8,6}")]


def test_an_array_is_read_back_by_source() -> None:
    assert from_array("1/router/in.v1", [7, 0, 9]) == [(FIRST + "0", 7), (FIRST + "2", 9)]
