import pytest

from service_kit.settings import (
    KafkaSettings,
    ObjectStoreSettings,
    PostgresSettings,
    ServiceSettings,
    load_settings,
)

URL = "postgresql://firebreak:hunter2@db/firebreak"


class WholeSettings(ServiceSettings, KafkaSettings, PostgresSettings, ObjectStoreSettings):
    """What a service with everything would declare."""


class IngestSettings(ServiceSettings, KafkaSettings):
    """What a service without a database declares."""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in {
        "KAFKA": "k1:9092,k2:9092",
        "POSTGRES": URL,
        "PORT": "8081",
        "OBJECT_STORE": "file:///o",
    }.items():
        monkeypatch.setenv(f"FIREBREAK_{name}", value)
    return monkeypatch


def test_a_service_reads_what_its_mixins_declare_and_has_defaults_for_the_rest() -> None:
    settings = load_settings(WholeSettings)
    assert (settings.kafka, settings.port, settings.topic_prefix) == ("k1:9092,k2:9092", 8081, "")
    assert (settings.host, settings.log_format, settings.stop_seconds) == ("127.0.0.1", "json", 10)
    assert settings.postgres.get_secret_value() == URL


def test_a_service_without_a_database_is_not_given_one_although_the_variable_is_set() -> None:
    assert not hasattr(load_settings(IngestSettings), "postgres")


def test_the_password_of_the_database_is_not_shown() -> None:
    settings = load_settings(WholeSettings)
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_settings_do_not_change_once_read() -> None:
    settings = load_settings(IngestSettings)
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]  # mypy knows it too


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("FIREBREAK_KAFKA", None, "FIREBREAK_KAFKA is missing"),
        ("FIREBREAK_KAFKA", "localhost", "host:port"),
        ("FIREBREAK_POSTGRES", "mysql://u:hunter2@db/x", "must be a postgresql:// URL"),
        ("FIREBREAK_PORT", "70000", "FIREBREAK_PORT is wrong"),
        ("FIREBREAK_LOG_LEVEL", "loud", "'debug', 'info'"),
        ("FIREBREAK_OBJECT_STORE", "/var/lib", "Example: FIREBREAK_OBJECT_STORE=file:///"),
        ("FIREBREAK_STOP_SECONDS", "0", "FIREBREAK_STOP_SECONDS is wrong"),
    ],
)
def test_a_wrong_variable_ends_the_process_with_78_its_name_and_the_fix(
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str | None,
    expected: str,
) -> None:
    if value is None:
        environment.delenv(variable)
    else:
        environment.setenv(variable, value)
    with pytest.raises(SystemExit) as left:
        load_settings(WholeSettings)
    message = capsys.readouterr().err
    assert left.value.code == 78
    assert expected in message
    assert "hunter2" not in message


def test_all_wrong_variables_are_named_at_once(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("KAFKA", "POSTGRES", "PORT"):
        environment.delenv(f"FIREBREAK_{name}")
    with pytest.raises(SystemExit):
        load_settings(WholeSettings)
    assert capsys.readouterr().err.count("is missing") == 3


def test_every_setting_says_how_to_choose_it() -> None:
    assert [name for name, field in WholeSettings.model_fields.items() if not field.description] == []


def test_a_list_that_is_not_json_is_explained_like_any_other_mistake(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class ListSettings(IngestSettings):
        teams: list[str]

    environment.setenv("FIREBREAK_TEAMS", "[broken")
    with pytest.raises(SystemExit):
        load_settings(ListSettings)
    assert "teams" in capsys.readouterr().err
