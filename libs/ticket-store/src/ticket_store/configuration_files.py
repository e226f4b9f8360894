"""A directory of YAML files into documents. Several documents in a file are parted by `---`; each names its `kind`."""

import os
from collections.abc import Hashable, Iterator
from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ticket_store.configuration_checks import ConfigurationRefused, FoundDocument, Problem, check_documents
from ticket_store.document_kinds import DOCUMENT_KINDS
from ticket_store.documents import FORMS, MAX_NAME, Document

_BOOLEAN = "tag:yaml.org,2002:bool"
_LONGEST_SHOWN = 40  # characters of what cannot be used; its line tells the rest


class _Loader(yaml.SafeLoader):
    """YAML without three traps: a key written twice is refused, only true and false are booleans (NO is Norway), and
    of a date that there is not, or a number of thousands of digits, the line is told."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the name and shape that PyYAML reads
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN or first in "tTfF"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        seen: set[Hashable] = set()
        for named, _ in node.value:
            key = self.construct_object(named, deep=True)
            if isinstance(key, Hashable):
                if key in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key!r} is written twice", node.start_mark)
                seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep)
        except ValueError:
            kind = "date" if node.tag.endswith(":timestamp") else "number"
            why = f"{str(node.value)[:_LONGEST_SHOWN]!r} is no {kind} that there is; correct it"
            raise yaml.constructor.ConstructorError(None, None, why, node.start_mark) from None


def load_directory(path: Path) -> list[Document]:
    """Read and check all `.yaml` and `.yml` files below the directory.

    :raises ConfigurationRefused: with every problem of every file. References are judged once all files can be read.
    """
    found: list[FoundDocument] = []
    problems: list[Problem] = []
    files = sorted(_files(path, problems))
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


def _files(path: Path, problems: list[Problem]) -> Iterator[Path]:
    """Yield all `.yaml` and `.yml` files. What a folder that cannot be read holds would be archived."""

    def refuse(error: OSError) -> None:
        problems.append(Problem(str(error.filename), "", "", _unreadable(error)))

    for folder, _, names in os.walk(path, onerror=refuse):
        yield from (Path(folder, name) for name in names if Path(name).suffix in {".yaml", ".yml"})


def _unreadable(error: OSError) -> str:
    return f"not readable: {error.strerror}; let your account read it, or take it away"


def read_documents(file: Path) -> list[Document]:
    """Read the documents of one file; what they refer to is not looked at.

    :raises ConfigurationRefused: with every problem of the file, or it holds none.
    """
    nothing = Problem(file.name, "", "", "no document is in it; begin with `kind:`")
    found = list(_read_file(file, file.name)) or [nothing]
    problems = [each for each in found if isinstance(each, Problem)]
    if problems:
        raise ConfigurationRefused(problems)
    return [each for each in found if isinstance(each, Document)]


def read_parts(file: Path, name: str) -> list[object]:
    """Return what stands between the `---` of a file; keys written twice are refused, and only true and false are
    booleans.

    :raises ConfigurationRefused: it cannot be read, or is no YAML.
    """
    try:
        return list(yaml.load_all(file.read_text(encoding="utf-8-sig"), _Loader))
    except OSError as error:
        fix = _unreadable(error)
    except UnicodeDecodeError as error:
        fix = f"not readable as YAML: its byte {error.start + 1} is no UTF-8; save the file as UTF-8"
    except RecursionError:
        fix = "not readable as YAML: it is nested too deeply; write it flatter"
    except yaml.YAMLError as error:
        fix = f"not readable as YAML: {' '.join(str(error).split())}".replace('in "<unicode string>", line', "in line")
    raise ConfigurationRefused([Problem(name, "", "", fix)])


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
    told = part.get("kind", "")
    kind = DOCUMENT_KINDS.get(told) if isinstance(told, str) else None
    if kind is None:
        wrong = repr(told[:_LONGEST_SHOWN]) if isinstance(told, str) else f"a {type(told).__name__}"
        fix = f"{wrong} is no kind of document; use one of {', '.join(DOCUMENT_KINDS)}"
        yield Problem(name, f"document {index}", "kind", fix)
        return
    try:
        yield kind.model_validate({field: value for field, value in part.items() if field != "kind"})
    except ValidationError as error:
        named = part.get("name")
        known = named[:MAX_NAME] if isinstance(named, str) else f"document {index}"
        yield from problems_of(error, name, f"{kind.kind}/{known}")


def problems_of(error: ValidationError, file: str, title: str) -> Iterator[Problem]:
    """Yield each thing that a model found wrong with a document."""
    for detail in error.errors(include_url=False):
        yield Problem(file, title, ".".join(str(step) for step in detail["loc"]), _fix(detail))


def _fix(detail: ErrorDetails) -> str:
    error_type, message = detail["type"], detail["msg"]
    form = FORMS.get(detail.get("ctx", {}).get("pattern", ""))
    if form is not None:
        return f"it has another form; write {form}"
    if error_type == "extra_forbidden":
        return "there is no such field; correct its name or remove it"
    if error_type == "missing":
        return "it is missing; add it"
    return message.removeprefix("Value error, ")
