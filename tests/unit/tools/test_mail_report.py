"""The report on real mails."""

from pathlib import Path

from tests.unit.ingest_email.mails import raw_mail
from tools.mail_report import Finding, lines, read_file, read_folder


def test_each_mail_has_a_line_and_the_sums_follow(tmp_path: Path) -> None:
    quoted = "还是漏水。\n\n2026年11月23日 10:00，客服写道：\n> 请重试".encode("gb18030")
    answer = raw_mail("Content-Type: text/plain; charset=gb2312", "In-Reply-To: <a@x>", body=quoted)
    (tmp_path / "answer.eml").write_bytes(answer)
    (tmp_path / "strange.eml").write_bytes(raw_mail("Content-Type: text/plain; charset=x-unknown", body=b"caf\xe9"))
    report = list(lines(read_folder(tmp_path)))
    assert report[0] == "answer.eml: gb2312 · answer above a signature or quotation · refers to 1 mail"
    assert report[1] == "strange.eml: x-unknown (unknown) · whole · starts one"
    assert report[3] == "2 mails, 0 not read, 0 with a character lost although its charset was known"
    assert "charset: gb2312 1, x-unknown (unknown) 1" in report


def test_a_mail_that_fails_or_loses_a_character_is_told() -> None:
    good = read_file("good", raw_mail())
    report = list(lines([Finding("bad", (), None, "IndexError: x"), Finding("lossy", (), good.mail, "", lost=True)]))
    assert report[0].endswith("IndexError: x")
    assert report[1].endswith("a character was lost")
    assert "2 mails, 1 not read, 1 with a character lost" in report[3]
