"""What a file's name and first bytes say about opening it."""

import pytest

from ticket_contracts.vocabulary import Danger
from ticket_intake.file_danger import danger_of

ZIP, OLD_OFFICE, PROGRAM = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"MZ\x90\x00"


@pytest.mark.parametrize(
    ("name", "content", "danger"),
    [
        ("photo.jpg", b"\xff\xd8\xff\xe0", None),
        ("report.pdf", b"%PDF-1.7", None),
        ("letter.docx", ZIP, None),
        ("notes.txt", b"#include", None),
        ("发票.pdf", b"%PDF", None),
        ("", b"", None),
        ("setup.exe", PROGRAM, Danger.PROGRAM),
        ("SETUP.EXE", PROGRAM, Danger.PROGRAM),
        ("setup.exe. ", PROGRAM, Danger.PROGRAM),
        ("run.js", b"alert(1)", Danger.PROGRAM),
        ("open.lnk", b"L\x00\x00\x00\x01\x14\x02\x00", Danger.PROGRAM),
        ("disk.iso", b"", Danger.PROGRAM),
        ("unknown", b"\x7fELF\x02", Danger.PROGRAM),
        ("script", b"#!/bin/sh", Danger.PROGRAM),
        ("photo.jpg", PROGRAM, Danger.DISGUISED),
        ("photo.png", b"\n <!DOCTYPE html>", Danger.DISGUISED),
        ("chart.gif", b"<svg onload=x>", Danger.DISGUISED),
        ("invoice.pdf.exe", PROGRAM, Danger.DISGUISED),
        ("photo\u202egpj.exe", PROGRAM, Danger.DISGUISED),
        ("sheet.xlsm", ZIP, Danger.MACROS),
        ("letter.doc", OLD_OFFICE, Danger.MACROS),
        ("letter", OLD_OFFICE, Danger.MACROS),
    ],
)
def test_a_file_is_judged_by_its_name_and_its_first_bytes(name: str, content: bytes, danger: Danger | None) -> None:
    assert danger_of(name, content) is danger
