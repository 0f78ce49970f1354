"""Addresses of servers in a setting.

They are shown, and written into a run's directory, so they hold no secret: keys come from the environment.
"""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["addresses_in", "wrong_addresses"]


def addresses_in(setting: str) -> list[str]:
    """The addresses in a setting, with commas or spaces between, without a slash at their end.

    >>> addresses_in("http://a:8000/, https://b")
    ['http://a:8000', 'https://b']
    """
    return [part.rstrip("/") for part in setting.replace(",", " ").split()]


def wrong_addresses(name: str, setting: str, *, key: str) -> list[str]:
    """What is wrong with the addresses in a setting.

    Args:
        name: Of the setting.
        setting: Its value.
        key: The environment variable for what a server asks for.

    >>> wrong_addresses("x", "http://a:1,http://a:1/", key="KEY")
    ['x: http://a:1 comes twice']
    """
    found = addresses_in(setting)
    problems = []
    for address in found:
        if "@" in address:  # the rest is not repeated: it is a secret
            problems.append(
                f"{name}: the address of {address.rpartition('@')[2]} has a user or a password before its host, and "
                f"would be kept with the run: leave them out, and give a server's --api-key in {key}"
            )
        elif not _is_address(address):
            problems.append(f"{name}: {address!r} is no address: use http://HOST:PORT, with commas between several")
    return [
        *problems,
        *(f"{name}: {address} comes twice" for address in sorted(set(found)) if found.count(address) > 1),
    ]


def _is_address(text: str) -> bool:
    """Whether a text begins with http, a host, and a port that may be, if it has one."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of the port, or of brackets
        return False
