"""What the doctor looks at between the hub and the world: ports, addresses, certificate, mail server, relay.

Ports are taken for a moment and given back. Nothing is sent to anybody but greetings: a connection, one GET to the
hub's own address, a mail server's EHLO (and the log-in that the settings hold), a relay's STUN binding.
"""

from __future__ import annotations

import errno
import ipaddress
import json
import smtplib
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

from session_manager.errors import StartFailed
from session_manager.settings import HubSettings, relay_of
from signaling.examining.findings import Finding, attention, well, wrong
from signaling.examining.folders import privacy
from signaling.examining.reach import (
    CAUSES,
    Fetched,
    Reached,
    Unreached,
    ask_stun,
    ask_stun_stream,
    cause_of,
    connect,
    fetch,
)
from signaling.media.errors import MediaError, PortInUse
from signaling.media.udp import open_ports

DAY_S = 86_400.0
SOON_S = 14 * DAY_S
"""A certificate that is renewed by itself is renewed earlier."""
HEALTHY = b'{"status":"ok"}'
MAIL_S = 10.0
RELAY_PORT, RELAY_TLS_PORT = 3478, 5349
PAGES = "Give it a name and a certificate (a TLS proxy in front), and tell the hub: --public-url https://NAME"


# ---- ports


def look_at_pages(settings: HubSettings) -> Iterator[Finding]:
    where = f"TCP port {settings.port} on {settings.host}"
    if settings.port == 0:
        yield attention("pages", "The pages take any free port, another at each start.", "Set one: --port 8420")
        return
    problem = _taken(settings.host, settings.port)
    if problem is None:
        yield well("pages", f"{where} is free for the pages.")
    elif problem == errno.EADDRINUSE and hub_answers(settings):
        yield well("pages", f"A hub is running on {where} and answers.")
    elif problem == errno.EADDRINUSE:
        yield wrong("pages", f"{where} is held by another program.", "Stop it, or choose another port: --port")
    elif problem == errno.EACCES:
        yield wrong("pages", f"{where} is not given to this user.", "Take one above 1023: --port 8420")
    else:
        yield wrong("pages", f"{settings.host} is not an address of this machine.", "Set --host 0.0.0.0 or one of its.")


def _taken(host: str, port: int) -> int | None:
    """None: free. Else the system's number of what is in the way."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as trying:
        if sys.platform != "win32":
            trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trying.bind((host, port))
        except OSError as error:
            return error.errno or errno.EADDRNOTAVAIL
    return None


def hub_answers(settings: HubSettings) -> bool:
    """Whether what holds the port is a hub of ours that is well."""
    return settings.port != 0 and _is_hub(fetch(f"http://{_own_host(settings.host)}:{settings.port}/healthz"))


def _own_host(host: str) -> str:
    if ":" in host:
        return "[::1]" if host == "::" else f"[{host}]"
    return "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104


def _is_hub(answer: Fetched | Unreached) -> bool:
    try:
        return isinstance(answer, Fetched) and json.loads(answer.body) == json.loads(HEALTHY)
    except ValueError:
        return False


def look_at_media(settings: HubSettings) -> Iterator[Finding]:
    if loopback_only(settings) is False and all(_is_loopback(one) for one in settings.media_addresses):
        yield wrong(
            "media_address",
            "Sound and picture are offered on this machine's own loopback only: nobody else would hear anything.",
            f"Name the address that clients reach: --media-address {own_address() or 'ADDRESS'}",
        )
    if settings.media_port == 0:
        yield attention("media", "Media takes any free UDP port: no firewall knows it.", "--media-port 8421")
    for worker in range(settings.media_workers):
        yield _media_port(settings, settings.media_port + worker if settings.media_port else 0)


def _media_port(settings: HubSettings, port: int) -> Finding:
    where = f"UDP port {port or 'any'} on {', '.join(settings.media_addresses)}"
    try:
        for one in open_ports(settings.media_addresses, port):
            one.close()
    except PortInUse as error:
        if hub_answers(settings):
            return well("media", f"{where} is held, as it should be while a hub runs here.")
        return wrong("media", str(error), "The hub answers on no page: end what is left of it, or choose --media-port.")
    except MediaError as error:
        own = own_address()
        return wrong("media", str(error), f"This machine's own address is {own}." if own else "See: ip address")
    let_in = "" if loopback_only(settings) else " A firewall must let it in."
    return well("media", f"{where} is free for sound and picture.{let_in}")


def loopback_only(settings: HubSettings) -> bool:
    """Whether this hub serves only its own machine."""
    public = urlsplit(settings.public_url).hostname if settings.public_url else None
    return _is_loopback(public or settings.host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def own_address() -> str | None:
    """By which this machine would send; nothing is sent."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asking:
        try:
            asking.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(asking.getsockname()[0])
    return None if _is_loopback(address) else address


# ---- the way of browsers


def look_at_address(settings: HubSettings) -> Iterator[Finding]:
    split = urlsplit(settings.public_url)
    if split.scheme == "https":
        yield from _encrypted(settings, split.hostname or "", split.port or 443)
    elif loopback_only(settings):
        yield attention(
            "address",
            "Only this machine itself can open the pages.",
            f"For others: --host 0.0.0.0 --media-address {own_address() or 'ADDRESS'}, and a name with a certificate.",
        )
    else:
        said = "Browsers come here without encryption (http): they then refuse a page the camera and the microphone."
        yield attention("address", said, PAGES)


def _encrypted(settings: HubSettings, host: str, port: int) -> Iterator[Finding]:
    found = connect(host, port, tls=True)
    if isinstance(found, Unreached):
        yield _unreached(settings.public_url, found)
        return
    yield judge_certificate("certificate", f"The certificate of {host}", found.certificate_s)
    answer = fetch(f"{settings.public_url.rstrip('/')}/healthz")
    if _is_hub(answer):
        yield well("address", f"{settings.public_url} leads to this hub or one like it.")
    elif hub_answers(settings):
        yield wrong(
            "address",
            f"{settings.public_url} answers, but does not lead to the hub that runs here.",
            f"Let the TLS proxy pass everything on to http://127.0.0.1:{settings.port}, WebSockets too.",
        )
    else:
        yield well("address", f"{settings.public_url} answers; whether it leads here shows once the hub runs.")


def _unreached(url: str, found: Unreached) -> Finding:
    said = f"{url} cannot be opened from here: {found.words}."
    if found.cause in ("expired", "not_yet", "other_name", "not_vouched", "tls"):
        return wrong("certificate", said, "Browsers will warn or refuse. Renew the TLS proxy's certificate.")
    return attention("address", said, "Start the TLS proxy, and check the name. Some routers do not lead back inside.")


def judge_certificate(code: str, whose: str, left_s: float | None) -> Finding:
    """`left_s`: seconds; a certificate that had run out would not have been accepted."""
    if left_s is None:
        return attention(code, f"{whose} does not say how long it is good.", "Look at it with a browser.")
    days = int(left_s / DAY_S)
    said = f"{whose} is good for {days} more day{'s' if days != 1 else ''}."
    if left_s < SOON_S:
        return attention(code, said, "Renew it now, and see why it was not renewed by itself.")
    return well(code, said)


# ---- mail


def look_at_mail(settings: HubSettings) -> Iterator[Finding]:
    host, tls = settings.smtp_host, settings.smtp_tls
    if not host:
        yield attention(
            "mail", "No mail server is set: letters wait in the outbox.", "If they shall go: set smtp_host."
        )
        return
    where = f"The mail server {host}:{settings.smtp_port}"
    if tls == "none" and not _is_loopback(host):
        yield attention("mail_tls", f"{where} is spoken to without encryption.", "Set smtp_tls to starttls or tls.")
    if not settings.mail_from:
        yield attention(
            "mail_from",
            f"Letters come from shimawa@{host}, an address that nobody chose.",
            "Set mail_from to an address of the house.",
        )
    yield _greeted(settings, where)


def _greeted(settings: HubSettings, where: str) -> Finding:
    tls = settings.smtp_tls
    address = "Check smtp_host, smtp_port and smtp_tls."
    try:
        _greet(settings)
    except smtplib.SMTPAuthenticationError as error:
        return wrong("mail", f"{where} refuses the log-in ({error.smtp_code}).", "Check smtp_user and smtp_password.")
    except smtplib.SMTPNotSupportedError:
        lacks = "STARTTLS or log-in" if tls == "starttls" else "log-in"
        return wrong("mail", f"{where} answers, but offers no {lacks}.", address)
    except smtplib.SMTPException as error:
        return wrong("mail", f"{where} does not greet as a mail server does ({type(error).__name__}).", address)
    except OSError as error:
        return wrong("mail", f"{where} cannot be used: {CAUSES[cause_of(error)]}.", address)
    how = {"tls": "encrypted", "starttls": "encrypted (STARTTLS)", "none": "not encrypted"}[tls]
    entered = " and takes the log-in" if settings.smtp_user else ""
    return well("mail", f"{where} answers{entered}; {how}. No letter was sent.")


def _greet(settings: HubSettings) -> None:
    """As letters go (`mail.Postman`), up to where one would begin. Raises SMTPException or OSError."""
    context = ssl.create_default_context()
    if settings.smtp_tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(settings.smtp_host, settings.smtp_port, timeout=MAIL_S, context=context)
    else:
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=MAIL_S)
    with closing(server):
        server.ehlo_or_helo_if_needed()
        if settings.smtp_tls == "starttls":
            server.starttls(context=context)
            server.ehlo_or_helo_if_needed()
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password)
        server.docmd("quit")


# ---- relay


def look_at_relay(settings: HubSettings) -> Iterator[Finding]:
    if settings.turn_secret_file is not None and settings.turn_secret_file.exists():
        yield from privacy("relay_secret", settings.turn_secret_file, "The relay's secret")
    try:
        relay = relay_of(settings)
    except StartFailed as error:
        yield wrong("relay", str(error), "The hub does not start like this.")
        return
    if relay is None:
        yield well("relay", "No relay is set; it is needed only where a firewall keeps clients from the media port.")
        return
    for url in relay.urls:
        yield _relay(url)


def _relay(url: str) -> Finding:
    host, port, tls, udp = relay_address(url)
    found = ask_stun(host, port) if udp else ask_stun_stream(host, port, tls=tls)
    if isinstance(found, Reached):
        return well(
            "relay", f"The relay {url} answers within {max(1, round(found.took_s * 1e3))} ms. Its secret was not tried."
        )
    then = "Start it, open its port, and check the address. Ask from outside too: it is for who is outside."
    return wrong("relay", f"The relay {url} cannot be used: {found.words}.", then)


def relay_address(url: str) -> tuple[str, int, bool, bool]:
    """Host, port, whether by TLS, whether by UDP, of a TURN URI (RFC 7065)."""
    scheme, _, rest = url.partition(":")
    place, _, query = rest.partition("?")
    split = urlsplit(f"//{place}")
    tls = scheme == "turns"
    return (
        split.hostname or "",
        split.port or (RELAY_TLS_PORT if tls else RELAY_PORT),
        tls,
        not tls and query != "transport=tcp",
    )
