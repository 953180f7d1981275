"""Where the pages of this installation are reached."""

from django.conf import settings

WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def base_url() -> str:
    """For links in messages, without a slash at the end: DESK_URL, else the address on this machine."""
    return settings.DESK_URL or local_url().rstrip("/")


def local_url() -> str:
    """The address on this machine, from HOST and PORT."""
    return f"http://{bracket_ipv6(reachable_host(settings.HOST))}:{settings.PORT}/"


def reachable_host(host: str) -> str:
    """Where a server that listens on `host` is reached from this machine."""
    return WILDCARD_HOSTS.get(host, host)


def bracket_ipv6(host: str) -> str:
    return f"[{host}]" if ":" in host else host
