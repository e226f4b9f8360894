"""XML from outside whose values stand one level below the root, as Tencent's callbacks have them."""

from collections.abc import Mapping
from xml.etree.ElementTree import ParseError  # the error only; defusedxml does the reading

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ticket_intake.clean_text import clean_text

# The longest event of WeChat has about thirty.
MAX_ELEMENTS = 100


class NotFlatXml(ValueError):
    """No such document; the message says why and holds nothing of the content."""


def read_flat_xml(content: bytes) -> Mapping[str, str]:
    """Return the texts of the root's children by name, the first of each; what is nested deeper is left out.

    :raises NotFlatXml: also for a document type or an entity, which no callback has and every XML attack needs.
    """
    try:
        root = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise NotFlatXml("holds a document type or an entity") from error
    except ParseError as error:
        line, column = error.position
        raise NotFlatXml(f"not XML at line {line}, column {column}") from error
    except (LookupError, ValueError) as error:
        raise NotFlatXml("in a character set that is none of XML") from error
    if len(root) > MAX_ELEMENTS:
        raise NotFlatXml(f"more than {MAX_ELEMENTS} elements")
    values: dict[str, str] = {}
    for child in root:
        values.setdefault(child.tag, clean_text(child.text or ""))
    return values
