"""What a customer sent and we have not got, in words for the agent. Fetching it takes a token and another job."""

from ticket_intake.clean_text import one_line

FILE_NAME_LENGTH = 200


def left_behind(keeper: str, kind: str, where: str, *, name: str | None = None, size: int | None = None) -> str:
    """Name a file that stays with the provider.

    :param where: its link, or the id under which the provider gives it out.
    """
    named = f"{kind} {one_line(name, FILE_NAME_LENGTH)}" if name else kind
    measured = f", {size} bytes" if size is not None else ""
    return f"The {named}{measured} stays at {keeper}: {where}"
