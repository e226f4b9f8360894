"""Which addresses a link of a stranger may lead to (facts §6.2): the open internet and nothing of ours."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# RFC 6052 and 8215: an IPv4 address inside an IPv6 one, which a gateway of ours may translate back.
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
# IANA's protocol assignments: what of them Python calls global differs by its release.
_ASSIGNED = IPv4Network("192.0.0.0/24")
_LOW_32 = (1 << 32) - 1


def is_open_internet(text: str) -> bool:
    """Whether an address is global, whatever way it is written in.

    Private, loopback, link-local (the metadata service of clouds is 169.254.169.254), shared (100.64/10), multicast and
    reserved ones are not.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return _is_global(address)


def all_open(addresses: Iterable[str]) -> bool:
    """Whether a name resolves to open addresses only: one private among them is how a rebinding begins."""
    found = list(addresses)
    return bool(found) and all(map(is_open_internet, found))


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        if (inner := _inner(address)) is not None:
            return _is_global(inner)
        if address.is_site_local:
            return False
    elif address in _ASSIGNED:
        return False
    return address.is_global and not address.is_multicast


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & _LOW_32)
    if int(address) >> 32 == 0 and int(address) > 1:  # IPv4-compatible, long abandoned
        return IPv4Address(int(address) & _LOW_32)
    return None
