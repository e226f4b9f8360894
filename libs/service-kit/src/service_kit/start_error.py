"""The one exception for "this process cannot start until somebody changes something outside of it"."""

import os


class StartError(Exception):
    """Raised while a service starts; the life cycle logs it without a stack trace, because the code is not at fault.

    `reason` says what was found, `fix` what the operator has to change. Neither may hold a secret.
    """

    exit_code = os.EX_CONFIG

    def __init__(self, reason: str, *, fix: str) -> None:
        super().__init__(f"{reason}. Fix: {fix}")
        self.reason = reason
        self.fix = fix
