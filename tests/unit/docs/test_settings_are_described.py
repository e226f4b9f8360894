"""Settings are documented where they are defined, so there each has its words."""

import pytest

from tests.support.workspace_services import WorkspaceService, workspace_services


@pytest.mark.parametrize("service", workspace_services(), ids=str)
def test_every_setting_says_what_it_is_and_how_to_choose_it(service: WorkspaceService) -> None:
    fields = service.settings.model_fields
    assert [name for name, field in fields.items() if len((field.description or "").split()) < 4] == []


@pytest.mark.parametrize("service", workspace_services(), ids=str)
def test_a_setting_without_a_default_shows_an_example(service: WorkspaceService) -> None:
    fields = service.settings.model_fields
    assert [name for name, field in fields.items() if field.is_required() and not field.examples] == []
