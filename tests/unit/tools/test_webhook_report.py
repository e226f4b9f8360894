"""Real payloads, where they are at hand, are understood to the last one."""

from pathlib import Path

import pytest

from tools.webhook_report import read_folder

PAYLOADS = Path(__file__).parents[4] / "shared" / "data" / "webhooks"


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the payloads are not on this machine (../shared/data/webhooks)")
def test_no_real_payload_is_refused() -> None:
    found = read_folder(PAYLOADS)
    assert [each for each in found if each.refused] == []
    assert len(found) == 16
    assert sum(each.became == "receipt" for each in found) == 1
    assert [each.became for each in found if "status" in each.became] == [
        "status delivered",
        "status read",
        "status failed",
    ]
    assert any("edited" in each.became for each in found)
