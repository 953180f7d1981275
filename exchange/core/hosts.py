"""Names and addresses of this machine."""

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})  # in a Host header
WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def is_loopback_name(host: str) -> bool:
    """Whether `host`, with or without a port, names this machine by itself.

    A page of another site can have its own name resolved to 127.0.0.1, but cannot send another name than its own.
    """
    name = host.lower() if host.endswith("]") else host.lower().rpartition(":")[0] or host.lower()
    return name.removesuffix(".") in LOOPBACK_NAMES


def reachable_host(host: str) -> str:
    """Where a server that listens on `host` is reached from this machine."""
    return WILDCARD_HOSTS.get(host, host)
