"""`python -m crm_api.generate [--write]`: print docs/openapi.json as the code has it, or write it there."""

import json
import sys
from pathlib import Path

from crm_api.application import build_application


def openapi_document() -> str:
    """Return the OpenAPI document, stable in order and layout."""
    return json.dumps(build_application(None).openapi(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write below the working directory, which is the project's root under make."""
    if "--write" in sys.argv[1:]:
        Path("docs/openapi.json").write_text(openapi_document())
    else:
        sys.stdout.write(openapi_document())


if __name__ == "__main__":
    main()
