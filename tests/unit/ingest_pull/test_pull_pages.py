"""The pages that administrators read say what the code does."""

import re
from pathlib import Path

import pytest
import yaml

from tests.support.workspace_services import ROOT
from tests.unit.ingest_pull.pulling import jobs_of

PAGES = ROOT / "docs" / "channels"


def examples(page: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", (PAGES / page).read_text(encoding="utf-8"), re.DOTALL)


def test_the_sources_of_the_page_about_asterisk_can_be_used(tmp_path: Path) -> None:
    file = tmp_path / "pull-sources.yaml"
    file.write_text(examples("asterisk.md")[0], encoding="utf-8")
    assert [job.name for job in jobs_of(file, {})] == ["asterisk-cdr/desk", "asterisk-queue-log/queues"]


@pytest.mark.parametrize(
    ("page", "number", "name", "environment"),
    [
        ("asterisk.md", 1, "asterisk-ami/exchange", {"AMI_LOGIN": "user:secret"}),
        ("wecom-service.md", 0, "wecom-service/wechat-service", {"KF_SECRET": "s", "KF_CALLBACK": f"token:{'A' * 43}"}),
        ("amazon-connect.md", 0, "connect-records/contact-centre", {}),
    ],
)
def test_the_sources_of_the_other_pages_can_be_used(
    tmp_path: Path, page: str, number: int, name: str, environment: dict[str, str]
) -> None:
    file = tmp_path / "pull-sources.yaml"
    file.write_text(examples(page)[number], encoding="utf-8")
    assert [job.name for job in jobs_of(file, environment)] == [name]


@pytest.mark.parametrize("mapping", [1, 2], ids=["calls", "messages"])
def test_the_sources_and_mappings_of_the_page_about_csv_can_be_used(tmp_path: Path, mapping: int) -> None:
    document = yaml.safe_load(examples("csv.md")[0])
    document["sources"][0]["options"]["mapping"] = str(tmp_path / "mapping.yaml")
    (tmp_path / "mapping.yaml").write_text(examples("csv.md")[mapping], encoding="utf-8")
    (tmp_path / "pull-sources.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    assert [job.name for job in jobs_of(tmp_path / "pull-sources.yaml", {})] == ["csv/callcentre"]
