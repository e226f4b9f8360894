"""Whether a file may harm whoever opens it: by its name and its first bytes, which never tell the whole.

What runs on a click is flagged, as are documents that may carry programs and files whose name hides what they are. A
flag is a warning for people and for whoever shows the file; it is not a scanner (`ingest_files.scan_file`).
"""

from ticket_contracts.vocabulary import Danger


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What Windows, macOS, Linux or Android run or install on a double click; after the lists of attachments that Outlook
# (support.microsoft.com/office/434752e1) and Gmail (support.google.com/mail/answer/6590) block.
_PROGRAMS = _words(
    """
    ade adp apk app appinstaller appx bas bat cab chm cmd com cpl deb desktop diagcab dll dmg exe gadget
    hlp hta htc img inf ins iso isp jar jnlp js jse lib library-ms lnk mde mjs msc msi msix msp mst nsh
    one osd pif pkg ps1 ps1xml ps2 psc1 py pyc rdp reg rpm scf scr sct search-ms settingcontent-ms sh
    shb sys theme url vb vbe vbs vhd vhdx vxd webpnp website wsc wsf wsh xll xnk
    """
)
_MACROS = _words("docm dotm xlsm xltm xlsb xlam pptm potm ppam ppsm sldm doc dot xls xlt ppt pps mdb accdb")
# Of these every byte is known to be no program; a program under such a name wants to be opened by mistake.
_HARMLESS = _words("jpg jpeg png gif webp heic bmp tif tiff mp3 mp4 m4a ogg wav amr mov avi webm txt csv pdf")
_PROGRAM_STARTS = (
    b"MZ",
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"#!",
    b"L\x00\x00\x00\x01\x14\x02\x00",  # a Windows shortcut
)
_PAGE_STARTS = (b"<!doctype html", b"<html", b"<script", b"<svg")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def danger_of(name: str, content: bytes) -> Danger | None:
    """Return why opening the file may do harm, None when nothing says so."""
    extension = _extension(name)
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if extension in _HARMLESS and (_starts(content, _PROGRAM_STARTS) or _starts(start.lower(), _PAGE_STARTS)):
        return Danger.DISGUISED
    if extension in _PROGRAMS or _starts(content, _PROGRAM_STARTS):
        return Danger.DISGUISED if _has_second_name(name) else Danger.PROGRAM
    if extension in _MACROS or content.startswith(_OLD_OFFICE):
        return Danger.MACROS
    return None


def _extension(name: str) -> str:
    """Return the last part, as Windows sees it: it drops dots and blanks at the end."""
    return name.rstrip(". \u00a0").rpartition(".")[2].strip().lower()


def _has_second_name(name: str) -> bool:
    """`invoice.pdf.exe`, or a mark that turns the writing direction so that `exe.gpj` is shown as `jpg.exe`."""
    stem = name.rstrip(". \u00a0").rpartition(".")[0]
    return any(mark in name for mark in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068") or _extension(stem) in _HARMLESS


def _starts(content: bytes, starts: tuple[bytes, ...]) -> bool:
    return content.startswith(starts)
