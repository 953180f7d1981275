"""Names of this machine in a Host header."""

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def is_loopback_name(host: str) -> bool:
    """Whether `host`, with or without a port, names this machine by itself.

    A page of another site can have its own name resolved to 127.0.0.1, but cannot send another name than its own.
    """
    name = host.lower() if host.endswith("]") else host.lower().rpartition(":")[0] or host.lower()
    return name.removesuffix(".") in LOOPBACK_NAMES
