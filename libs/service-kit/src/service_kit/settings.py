"""What every process reads from its environment, one mixin per outside system.

A service puts together what it needs, so that an ingestor, which uses no database, cannot even be given one:

    class RouterSettings(ServiceSettings, KafkaSettings, PostgresSettings): ...
"""

import sys
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from service_kit.start_error import StartError

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["json", "console"]
SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def _postgres_url(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme not in {"postgresql", "postgres"}:
        raise ValueError("must be a postgresql:// URL")  # never the value: it holds the password
    return value


def _bootstrap_servers(value: str) -> str:
    for server in value.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError("must be host:port, several separated by commas")
    return value


class EnvironmentSettings(BaseSettings):
    """How settings are read; what stands in the environment for other programs is ignored."""

    model_config = SettingsConfigDict(env_prefix="FIREBREAK_", extra="ignore", frozen=True, hide_input_in_errors=True)


class ServiceSettings(EnvironmentSettings):
    """What every process has: an HTTP port, logs and an end."""

    host: str = Field(
        "127.0.0.1",
        description="Address to listen on. The default is reachable from this machine only; in containers 0.0.0.0.",
    )
    port: int = Field(
        ge=0,
        le=65_535,
        description="HTTP port of the process: its API if it has one, and /live, /ready, /metrics. "
        "No default, because several services share a machine; 0 takes any free port.",
        examples=["8081"],
    )
    log_level: LogLevel = Field(
        "info",
        description="Least severity that is written. `debug` also lets chatty libraries speak; not for production.",
    )
    log_format: LogFormat = Field(
        "json",
        description="`json` writes one object a line, for machines; `console` is for a person at a terminal.",
    )
    stop_seconds: float = Field(
        10,
        gt=0,
        description="Seconds between SIGTERM and giving up on an orderly stop (exit code 70). "
        "Keep it below Kubernetes' terminationGracePeriodSeconds (30), or nobody reads what hung.",
    )


class KafkaSettings(EnvironmentSettings):
    """For processes that read or write topics."""

    kafka: Annotated[str, AfterValidator(_bootstrap_servers)] = Field(
        description="Bootstrap servers, host:port, separated by commas. Two or three of a cluster are enough.",
        examples=["127.0.0.1:9092"],
    )
    topic_prefix: str = Field(
        "",
        pattern=r"^[a-zA-Z0-9._-]*$",
        max_length=64,
        description="Put before every topic name, so that installations can share a cluster; one for all services.",
    )


class PostgresSettings(EnvironmentSettings):
    """For processes that read or write tables."""

    postgres: Annotated[SecretStr, AfterValidator(_postgres_url)] = Field(
        description="URL of the database, password included: read it with `.get_secret_value()`, it is never printed.",
        examples=["postgresql://user:password@127.0.0.1:5432/firebreak"],
    )


class OptionalPostgresSettings(EnvironmentSettings):
    """For a door that may also pull: without pull sources it needs no database."""

    postgres: Annotated[SecretStr, AfterValidator(_postgres_url)] | None = Field(
        None,
        description="URL of the database for leases and cursors, password included; only needed with IMAP folders.",
        examples=["postgresql://user:password@127.0.0.1:5432/firebreak"],
    )


class ObjectStoreSettings(EnvironmentSettings):
    """For processes that keep raw mail, attachments and spooled requests."""

    object_store: str = Field(
        pattern=r"^[a-z0-9]+://",
        description="URL of the bucket or folder. Credentials come from the cloud's own variables, never from here.",
        examples=["file:///var/lib/firebreak/objects", "s3://bucket/prefix"],
    )


def load_settings(settings_class: type[SettingsT]) -> SettingsT:
    """Read the environment or leave with code 78 (EX_CONFIG), naming each variable that is wrong and its fix.

    Plain text on stderr: how to log is itself one of the settings.
    """
    try:
        return settings_class()
    except ValidationError as error:
        lines = [_explain(settings_class, detail) for detail in error.errors(include_input=False, include_url=False)]
    except SettingsError as error:
        # pydantic-settings decodes lists and nested models as JSON before any validation; its message names the field.
        lines = [f"  {error}: this setting must be valid JSON"]
    print("The settings of this process are not complete:", *lines, sep="\n", file=sys.stderr, flush=True)
    sys.exit(StartError.exit_code)


def _explain(settings_class: type[BaseSettings], detail: ErrorDetails) -> str:
    words = detail["msg"].removeprefix("Value error, ")
    if not detail["loc"]:
        return f"  {words}"
    name = str(detail["loc"][0])
    variable = f"{settings_class.model_config.get('env_prefix', '')}{name}".upper()
    problem = "is missing" if detail["type"] == "missing" else f"is wrong: {words}"
    field = settings_class.model_fields.get(name)
    if field is None:
        return f"  {variable} {problem}."
    example = f" Example: {variable}={field.examples[0]}" if field.examples else ""
    return f"  {variable} {problem}. {field.description or ''}{example}"
