"""Files as they grow and are rotated: every whole line once, whatever happened in between."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ingest_pull.followed_folder import LONGEST_LINE, FollowedFolder
from ingest_pull.place_in_file import Place

NOW = 2_000_000_000.0


class Follower:
    """Reads everything there is at each look, and remembers its places as a cursor would."""

    def __init__(self, folder: FollowedFolder) -> None:
        self.folder = folder
        self.places: list[Place] | None = None

    def lines(self, now: float = 0.0) -> list[bytes]:
        found: list[bytes] = []
        places = [waiting.place for waiting in self.folder.look(self.places)]
        for number in range(len(places)):
            while (page := self.folder.read(places[number], now)).place != places[number]:
                found += [line.content for line in page.lines]
                places[number] = page.place
        self.places = [Place.from_json(place.as_json()) for place in places]
        return found

    def cursor(self) -> list[list[Any]]:
        return [place.as_json() for place in self.places or ()]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "Master.csv"


@pytest.fixture
def follower(tmp_path: Path) -> Follower:
    return Follower(FollowedFolder(tmp_path, "Master.csv", "start"))


def append(path: Path, *lines: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def test_new_lines_are_read_once(follower: Follower, log: Path) -> None:
    append(log, "one", "two")
    assert follower.lines() == [b"one", b"two"]
    assert follower.lines() == []
    append(log, "three")
    assert follower.lines() == [b"three"]


def test_a_line_without_its_end_waits_for_it(follower: Follower, log: Path) -> None:
    log.write_bytes(b"one\ntw")
    assert follower.lines() == [b"one"]
    append(log, "o")
    assert follower.lines() == [b"two"]


def test_a_last_line_is_taken_from_a_file_that_nobody_writes_any_more(tmp_path: Path) -> None:
    follower = Follower(FollowedFolder(tmp_path, "*.csv", "start", last_line_after_seconds=5))
    (tmp_path / "export.csv").write_bytes(b"one\ntwo")
    assert follower.lines(now=0) == [b"one"]
    assert follower.lines(now=NOW) == [b"two"]
    assert follower.lines(now=NOW) == []


def test_a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_start(follower: Follower, log: Path) -> None:
    append(log, "one")
    assert follower.lines() == [b"one"]
    append(log, "two")
    log.rename(log.with_name("Master.csv.1"))
    append(log, "three")
    assert sorted(follower.lines()) == [b"three", b"two"]
    append(log.with_name("Master.csv.1"), "late")  # a writer that had it open
    assert follower.lines() == [b"late"]


def test_several_rotations_between_two_looks_lose_nothing_that_is_still_there(follower: Follower, log: Path) -> None:
    append(log, "one")
    assert follower.lines() == [b"one"]
    append(log, "two")
    log.rename(log.with_name("Master.csv.2"))
    append(log, "three")
    assert sorted(follower.lines()) == [b"three", b"two"]
    log.rename(log.with_name("Master.csv.1"))
    append(log, "four")
    assert follower.lines() == [b"four"]


def test_a_file_that_was_copied_and_emptied_is_read_on_in_the_copy_and_anew(follower: Follower, log: Path) -> None:
    append(log, "one")
    assert follower.lines() == [b"one"]
    append(log, "two")
    shutil.copy(log, log.with_name("Master.csv.1"))
    log.write_bytes(b"")  # same inode
    append(log, "three")
    assert sorted(follower.lines()) == [b"three", b"two"]
    assert follower.lines() == []


def test_a_file_that_was_emptied_and_grew_past_the_old_place_is_read_from_its_start(
    follower: Follower, log: Path
) -> None:
    append(log, "one")
    assert follower.lines() == [b"one"]
    log.write_bytes(b"a new first line, longer than all there was\n")
    assert follower.lines() == [b"a new first line, longer than all there was"]


def test_a_new_file_with_the_header_of_a_deleted_one_is_not_taken_for_it(tmp_path: Path) -> None:
    follower = Follower(FollowedFolder(tmp_path, "*.csv", "start"))
    append(tmp_path / "monday.csv", "id,caller", "1,100")
    assert follower.lines() == [b"id,caller", b"1,100"]
    (tmp_path / "monday.csv").unlink()
    append(tmp_path / "tuesday.csv", "id,caller", "2,100", "3,100")
    assert follower.lines() == [b"id,caller", b"2,100", b"3,100"]


@pytest.mark.parametrize(("begin", "read"), [("start", [b"old"]), ("end", [])])
def test_the_setting_says_what_becomes_of_what_was_there_before_the_first_start(
    tmp_path: Path, log: Path, begin: str, read: Sequence[bytes]
) -> None:
    append(log, "old")
    follower = Follower(FollowedFolder(tmp_path, "Master.csv", begin))  # type: ignore[arg-type]
    assert follower.lines() == read
    append(log, "new")
    assert follower.lines() == [b"new"]


def test_a_file_that_appears_later_is_read_whole_whatever_the_setting(tmp_path: Path, log: Path) -> None:
    follower = Follower(FollowedFolder(tmp_path, "Master.csv", "end"))
    assert follower.lines() == []
    append(log, "new")
    assert follower.lines() == [b"new"]


def test_a_name_that_another_file_took_since_the_look_is_left_for_the_next_look(
    follower: Follower, tmp_path: Path, log: Path
) -> None:
    append(log, "one")
    [waiting] = follower.folder.look(None)
    log.rename(tmp_path / "Master.csv.1")
    append(log, "two")
    assert follower.folder.read(waiting.place, NOW).lines == []


def test_a_line_that_is_too_long_to_be_a_record_is_passed_over(follower: Follower, log: Path) -> None:
    log.write_bytes(b"one\n" + b"x" * (2 * LONGEST_LINE) + b"\ntwo\n")
    lines = follower.lines()
    assert (lines[0], lines[-1]) == (b"one", b"two")
    assert all(len(line) <= LONGEST_LINE for line in lines)


def test_a_record_between_quotation_marks_may_have_several_lines(tmp_path: Path) -> None:
    follower = Follower(FollowedFolder(tmp_path, "*.csv", "start", quoted=True))
    path = tmp_path / "notes.csv"
    path.write_bytes(b'1,"first\nsecond"\n2,"open')
    assert follower.lines() == [b'1,"first\nsecond"']
    with path.open("ab") as file:
        file.write(b' until here"\n3,plain\n')
    assert follower.lines() == [b'2,"open until here"', b"3,plain"]


def test_lines_of_windows_end_without_their_carriage_return(follower: Follower, log: Path) -> None:
    log.write_bytes(b"one\r\ntwo\r\n")
    assert follower.lines() == [b"one", b"two"]


def test_a_page_ends_with_a_whole_line_and_the_next_goes_on(follower: Follower, log: Path) -> None:
    written = [f"{number:0100}" for number in range(10_000)]
    append(log, *written)
    assert [line.decode() for line in follower.lines()] == written


def test_a_file_whose_name_is_no_utf8_is_followed_too(tmp_path: Path) -> None:
    follower = Follower(FollowedFolder(tmp_path, "*.csv", "start"))
    path = Path(os.fsdecode(os.fsencode(tmp_path) + "/通话.csv".encode("gbk")))
    append(path, "one")
    assert follower.lines() == [b"one"]
    assert json.loads(json.dumps(follower.cursor())) == follower.cursor()
    append(path, "two")
    assert follower.lines() == [b"two"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FollowedFolder(tmp_path / "absent", "*", "start").look(None)


def test_a_cursor_of_a_folder_with_many_files_stays_small(follower: Follower, log: Path) -> None:
    append(log, "one")
    follower.lines()
    assert follower.places is not None
    [place] = follower.places
    assert place == Place("Master.csv", os.stat(log).st_ino, 4, place.mark)


def test_a_file_that_was_emptied_and_filled_again_since_the_look_is_read_from_its_start_and_its_copy_to_the_end(
    tmp_path: Path, log: Path
) -> None:
    """Kafka may be away between the look and the reading of the last page, for hours."""
    follower = Follower(FollowedFolder(tmp_path, "Master.csv", "start"))
    append(log, "one")
    assert follower.lines() == [b"one"]
    append(log, "two")
    [waiting] = follower.folder.look(follower.places)
    shutil.copy(log, tmp_path / "Master.csv.1")  # copytruncate
    log.write_text("")
    append(log, "three", "four")
    assert follower.folder.read(waiting.place, 0.0).lines == []
    assert sorted(follower.lines()) == [b"four", b"three", b"two"]


def test_a_record_keeps_its_empty_lines(tmp_path: Path) -> None:
    follower = Follower(FollowedFolder(tmp_path, "*.csv", "start", quoted=True))
    append(tmp_path / "a.csv", "1,one", "", '2,"two', "", 'lines"')
    assert follower.lines() == [b"1,one", b'2,"two\n\nlines"']


@pytest.mark.parametrize("rest", ["\n" * 270_000, "x" * 600_000])
def test_what_a_customer_wrote_into_a_record_never_keeps_those_behind_it_waiting(tmp_path: Path, rest: str) -> None:
    follower = Follower(FollowedFolder(tmp_path, "*.csv", "start", quoted=True, last_line_after_seconds=5))
    append(tmp_path / "a.csv", '1,"a', f'{rest}"', "2,b")
    assert follower.lines(now=NOW)[-1] == b"2,b"


def test_a_quotation_mark_that_nothing_closes_costs_no_more_than_its_lines(tmp_path: Path) -> None:
    follower = Follower(FollowedFolder(tmp_path, "*.csv", "start", quoted=True))
    append(tmp_path / "a.csv", *['1,"a', *["x"] * 100_000, "2,b"])  # joined anew at each line, these took minutes
    assert len(follower.lines()) == 100_002
