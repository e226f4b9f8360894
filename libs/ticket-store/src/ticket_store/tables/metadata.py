"""The collection that all tables register in, with names for constraints so that migrations can refer to them."""

from sqlalchemy import MetaData

from ticket_stream.schema import CONSTRAINT_NAMES

METADATA = MetaData(naming_convention=CONSTRAINT_NAMES)
