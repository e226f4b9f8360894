"""A directory of YAML files into documents. Several documents in a file are parted by `---`; each names its `kind`."""

from collections.abc import Hashable, Iterator
from pathlib import Path

import yaml
from pydantic import ValidationError

from ticket_store.configuration_checks import ConfigurationRefused, FoundDocument, Problem, check_documents
from ticket_store.document_kinds import DOCUMENT_KINDS
from ticket_store.documents import Document

_BOOLEAN = "tag:yaml.org,2002:bool"


class _Loader(yaml.SafeLoader):
    """YAML without two traps: a key written twice is refused, and only true and false are booleans (NO is Norway)."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the name and shape that PyYAML reads
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN or first in "tTfF"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is written twice", node.start_mark)
        return super().construct_mapping(node, deep)


def load_directory(path: Path) -> list[Document]:
    """Read and check all `.yaml` and `.yml` files below the directory.

    :raises ConfigurationRefused: with every problem of every file. References are judged once all files can be read.
    """
    found: list[FoundDocument] = []
    problems: list[Problem] = []
    files = sorted(file for file in path.rglob("*") if file.suffix in {".yaml", ".yml"})
    if not files:
        problems.append(Problem(str(path), "", "", "no .yaml file is in this directory; name the right one"))
    for file in files:
        name = str(file.relative_to(path))
        for document in _read_file(file, name):
            if isinstance(document, Problem):
                problems.append(document)
            else:
                found.append(FoundDocument(document, name))
    if problems:
        raise ConfigurationRefused(problems)
    check_documents(found)
    return [each.document for each in found]


def read_documents(file: Path) -> list[Document]:
    """Read the documents of one file; what they refer to is not looked at.

    :raises ConfigurationRefused: with every problem of the file.
    """
    found = list(_read_file(file, file.name))
    problems = [each for each in found if isinstance(each, Problem)]
    if problems:
        raise ConfigurationRefused(problems)
    return [each for each in found if isinstance(each, Document)]


def read_parts(file: Path, name: str) -> list[object]:
    """Return what stands between the `---` of a file; keys written twice are refused, and only true and false are
    booleans.

    :raises ConfigurationRefused: it is no YAML.
    """
    try:
        return list(yaml.load_all(file.read_text(encoding="utf-8"), _Loader))
    except (yaml.YAMLError, ValueError) as error:  # the latter: no UTF-8, or a date that there is not
        problem = Problem(name, "", "", f"not readable as YAML: {' '.join(str(error).split())}")
        raise ConfigurationRefused([problem]) from error


def _read_file(file: Path, name: str) -> Iterator[Document | Problem]:
    try:
        parts = read_parts(file, name)
    except ConfigurationRefused as refused:
        yield from refused.problems
        return
    for index, part in enumerate(parts, start=1):
        if part is not None:  # an empty document, such as the one after a closing `---`
            yield from parse_document(part, name, index)


def parse_document(part: object, name: str, index: int) -> Iterator[Document | Problem]:
    """Yield the document that a mapping with its `kind` describes, else each problem; `name` is the file's."""
    if not isinstance(part, dict):
        yield Problem(name, f"document {index}", "", "write it as `field: value` lines, beginning with `kind:`")
        return
    kind = DOCUMENT_KINDS.get(str(part.get("kind")))
    if kind is None:
        fix = f"{part.get('kind')!r} is no kind of document; use one of {', '.join(DOCUMENT_KINDS)}"
        yield Problem(name, f"document {index}", "kind", fix)
        return
    try:
        yield kind.model_validate({field: value for field, value in part.items() if field != "kind"})
    except ValidationError as error:
        yield from problems_of(error, name, f"{kind.kind}/{part.get('name', f'document {index}')}")


def problems_of(error: ValidationError, file: str, title: str) -> Iterator[Problem]:
    """Yield each thing that a model found wrong with a document."""
    for detail in error.errors(include_url=False):
        yield Problem(file, title, ".".join(str(step) for step in detail["loc"]), _fix(detail["type"], detail["msg"]))


def _fix(error_type: str, message: str) -> str:
    if error_type == "extra_forbidden":
        return "there is no such field; correct its name or remove it"
    if error_type == "missing":
        return "it is missing; add it"
    return message.removeprefix("Value error, ")
