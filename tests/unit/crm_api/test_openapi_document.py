"""The committed OpenAPI document is what the code says."""

from pathlib import Path

from crm_api.generate import openapi_document

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"


def test_the_committed_document_is_the_generated_one() -> None:
    assert COMMITTED.read_text() == openapi_document(), "run `make schemas` and read the difference"
