"""Our own session descriptions (RFC 8866, RFC 8829): read a client's offer or answer, write ours.

Reading is tolerant of what we do not use and strict about what we need; anything else raises `MediaRefused("bad_sdp")`.
One BUNDLE group, rtcp-mux, ICE-lite, SSRCs announced (aiortc routes by SSRC only). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from signaling.media.rtp import (
    OUT_ABS_SEND_TIME_ID,
    OUT_AUDIO_LEVEL_ID,
    URI_ABS_SEND_TIME,
    URI_AUDIO_LEVEL,
    URI_MID,
    ExtensionIds,
)
from signaling.ports import MediaRefused, TrackKind

MAX_LINES = 4000
MAX_SECTIONS = 64

OPUS_PT, VP8_PT, VP8_RTX_PT, H264_PT, H264_RTX_PT = 111, 96, 97, 102, 103
"""Payload types of every subscribe offer; we choose them because we offer."""

OPUS_FMTP = "minptime=10;useinbandfec=1;stereo=0;maxaveragebitrate=32000"
H264_FMTP = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
VIDEO_FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb")

_MEDIA_LINE = re.compile(r"^(\w+) (\d{1,5})(?:/\d+)? (\S+) ?(.*)$")
_SETUP_ANSWER = {"actpass": "passive", "active": "passive", "passive": "active"}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    algorithm: str
    value: str


@dataclass(slots=True)
class Codec:
    payload_type: int
    name: str = ""
    clock_rate: int = 0
    fmtp: str = ""


@dataclass(slots=True)
class Section:
    """One m-line as a client wrote it."""

    kind: str
    port: int
    profile: str
    formats: tuple[str, ...]
    mid: str = ""
    direction: str = "sendrecv"
    ufrag: str = ""
    setup: str = ""
    fingerprints: list[Fingerprint] = field(default_factory=list)
    codecs: dict[int, Codec] = field(default_factory=dict)
    ssrcs: list[int] = field(default_factory=list)
    pairs: dict[int, int] = field(default_factory=dict)
    """Media SSRC -> retransmission SSRC (ssrc-group FID)."""
    extensions: dict[str, int] = field(default_factory=dict)
    rtcp_mux: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    sections: tuple[Section, ...]
    fingerprints: tuple[Fingerprint, ...]
    setup: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """What one m-line of a publish offer will send us; 0 where a number is not known before the first packet."""

    mid: str
    kind: TrackKind
    codec: Codec
    rtx_payload_type: int
    ssrc: int
    rtx_ssrc: int
    ids: ExtensionIds


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """Our side of the transport, the same for every m-line."""

    ufrag: str
    password: str
    fingerprint: str
    addresses: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class OfferedSlot:
    mid: str
    kind: TrackKind
    ssrc: int
    rtx_ssrc: int


def refuse(why: str) -> MediaRefused:
    return MediaRefused("bad_sdp", f"The media description cannot be used: {why}.")


def parse(text: str) -> Description:
    """Read an offer or answer. Raises `MediaRefused`."""
    lines = text.splitlines()
    if len(lines) > MAX_LINES or not text.startswith("v=0"):
        raise refuse("it is not a session description")
    top = Section("session", 0, "", ())
    sections: list[Section] = []
    for line in lines:
        try:
            if line.startswith("m="):
                sections.append(_section(line[2:], top))
            elif line.startswith("a="):
                name, _, value = line[2:].partition(":")
                _attribute(sections[-1] if sections else top, name.strip(), value.strip())
        except (ValueError, IndexError) as fault:
            raise refuse(f"the line {line[:40]!r} makes no sense") from fault
    if not sections or len(sections) > MAX_SECTIONS:
        raise refuse("it names no media" if not sections else "it names too many media")
    fingerprints = sections[0].fingerprints or top.fingerprints
    if not fingerprints:
        raise refuse("a fingerprint is missing")
    if not (sections[0].ufrag or top.ufrag):
        raise refuse("the ICE user name is missing")
    return Description(tuple(sections), tuple(fingerprints), sections[0].setup or top.setup or "actpass")


def _section(value: str, top: Section) -> Section:
    match = _MEDIA_LINE.match(value.strip())
    if match is None:
        raise ValueError(value)
    kind, port, profile, formats = match.groups()
    return Section(kind, int(port), profile, tuple(formats.split()), direction=top.direction)


def _attribute(section: Section, name: str, value: str) -> None:
    match name:
        case "mid":
            section.mid = _token(value)
        case "sendrecv" | "sendonly" | "recvonly" | "inactive":
            section.direction = name
        case "ice-ufrag":
            section.ufrag = value
        case "setup":
            section.setup = value
        case "rtcp-mux":
            section.rtcp_mux = True
        case "fingerprint":
            algorithm, fingerprint = value.split()
            section.fingerprints.append(Fingerprint(algorithm.lower(), fingerprint.upper()))
        case "rtpmap":
            number, _, encoding = value.partition(" ")
            name, rate = [*encoding.strip().split("/"), "0"][:2]
            codec = _codec(section, number)
            codec.name, codec.clock_rate = name, int(rate)
        case "fmtp":
            number, _, parameters = value.partition(" ")
            _codec(section, number).fmtp = parameters.strip()  # Firefox writes it before the rtpmap
        case "ssrc":
            ssrc = _ssrc(value.split(maxsplit=1)[0])
            if ssrc not in section.ssrcs:
                section.ssrcs.append(ssrc)
        case "ssrc-group":
            semantics, *members = value.split()
            if semantics == "FID" and len(members) == 2:
                section.pairs[_ssrc(members[0])] = _ssrc(members[1])
        case "extmap":
            number, uri = value.split()[:2]
            section.extensions[uri] = int(number.partition("/")[0]) & 0xFF
        case _:
            pass


def _token(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,16}", value):
        raise ValueError(value)
    return value


def _codec(section: Section, text: str) -> Codec:
    number = int(text)
    if not 0 <= number <= 127:
        raise ValueError(text)
    return section.codecs.setdefault(number, Codec(number))


def _ssrc(text: str) -> int:
    number = int(text)
    if not 0 < number < 1 << 32:
        raise ValueError(text)
    return number


def usable_codec(section: Section) -> Codec | None:
    """Opus; VP8 before H264 (constrained baseline, packetization mode 1). None when there is none of them."""
    by_name: dict[str, Codec] = {}
    for codec in section.codecs.values():
        name = codec.name.upper()
        if name == "H264" and "packetization-mode=1" not in codec.fmtp:
            continue
        if name == "H264" and not re.search(r"profile-level-id=42[0-9a-f]{4}", codec.fmtp, re.IGNORECASE):
            continue
        by_name.setdefault(name, codec)
    wanted = ("OPUS",) if section.kind == "audio" else ("VP8", "H264")
    return next((by_name[name] for name in wanted if name in by_name), None)


def incoming(section: Section) -> Incoming:
    """What this m-line will send. Raises `MediaRefused` when we can take none of it."""
    kind: TrackKind = "audio" if section.kind == "audio" else "video"
    codec = usable_codec(section)
    if codec is None:
        raise refuse(f"m-line {section.mid} offers no codec of ours (Opus; VP8 or H264)")
    if section.direction not in ("sendrecv", "sendonly"):
        raise refuse(f"m-line {section.mid} does not send")
    if not section.rtcp_mux:
        raise refuse("rtcp-mux is required")
    ssrc = section.ssrcs[0] if section.ssrcs else 0
    return Incoming(
        section.mid,
        kind,
        codec,
        _rtx_payload_type(section, codec),
        ssrc,
        section.pairs.get(ssrc, 0),
        ExtensionIds(section.extensions.get(URI_AUDIO_LEVEL, 0), section.extensions.get(URI_MID, 0)),
    )


def _rtx_payload_type(section: Section, codec: Codec) -> int:
    for other in section.codecs.values():
        if other.name.lower() == "rtx" and re.search(rf"\bapt={codec.payload_type}\b", other.fmtp):
            return other.payload_type
    return 0


def dtls_role(setup: str) -> str:
    """Our DTLS role towards a client that wrote `setup`: `server` unless it insists on being one itself."""
    return "client" if setup == "passive" else "server"


def publish_answer(offer: Description, accepted: Mapping[str, Incoming], local: LocalTransport) -> str:
    """Our answer: the m-lines in `accepted` (by mid) receive, the others are inactive or refused."""
    setup = _SETUP_ANSWER.get(offer.setup, "passive")
    bodies: list[str] = []
    bundled: list[str] = []
    for section in offer.sections:
        codec = usable_codec(section) if section.kind in ("audio", "video") else None
        if codec is None or section.port == 0:
            bodies.append(f"m={section.kind} 0 {section.profile} {' '.join(section.formats) or '0'}")
            bodies.append(f"a=mid:{section.mid}")
            bodies.append("a=inactive")
            bodies.extend(_transport_lines(local, setup))
            continue
        bundled.append(section.mid)
        direction = "recvonly" if section.mid in accepted else "inactive"
        bodies.extend(_answer_section(section, codec, direction))
        bodies.extend(_transport_lines(local, setup))
        bodies.extend(_candidate_lines(local))
    return _join(_head(bundled), bodies)


def _answer_section(section: Section, codec: Codec, direction: str) -> list[str]:
    rtx = _rtx_payload_type(section, codec)
    formats = f"{codec.payload_type} {rtx}" if rtx else f"{codec.payload_type}"
    lines = [f"m={section.kind} 9 {section.profile} {formats}", "c=IN IP4 0.0.0.0", f"a=mid:{section.mid}"]
    lines += [f"a={direction}", "a=rtcp-mux", "a=rtcp-rsize"]
    for uri in (URI_AUDIO_LEVEL, URI_ABS_SEND_TIME, URI_MID):
        if section.extensions.get(uri):
            lines.append(f"a=extmap:{section.extensions[uri]} {uri}")
    if section.kind == "audio":
        lines += _codec_lines(codec.payload_type, "opus/48000/2", OPUS_FMTP, ("nack",))
    else:
        lines += _codec_lines(codec.payload_type, f"{codec.name}/90000", codec.fmtp, VIDEO_FEEDBACK)
        if rtx:
            lines += _codec_lines(rtx, "rtx/90000", f"apt={codec.payload_type}", ())
    return lines


def subscribe_offer(slots: Sequence[OfferedSlot], local: LocalTransport, cname: str) -> str:
    """Our offer: one sendonly m-line for each slot, its SSRC constant for the life of the connection."""
    bodies: list[str] = []
    for slot in slots:
        formats = f"{OPUS_PT}" if slot.kind == "audio" else f"{VP8_PT} {VP8_RTX_PT} {H264_PT} {H264_RTX_PT}"
        bodies += [f"m={slot.kind} 9 UDP/TLS/RTP/SAVPF {formats}", "c=IN IP4 0.0.0.0", f"a=mid:{slot.mid}"]
        bodies += ["a=sendonly", "a=rtcp-mux", "a=rtcp-rsize", f"a=msid:slot{slot.mid} slot{slot.mid}"]
        bodies.append(f"a=extmap:{OUT_ABS_SEND_TIME_ID} {URI_ABS_SEND_TIME}")
        if slot.kind == "audio":
            bodies.append(f"a=extmap:{OUT_AUDIO_LEVEL_ID} {URI_AUDIO_LEVEL}")
            bodies += _codec_lines(OPUS_PT, "opus/48000/2", "minptime=10;useinbandfec=1", ("nack",))
        else:
            bodies += _codec_lines(VP8_PT, "VP8/90000", "", VIDEO_FEEDBACK)
            bodies += _codec_lines(VP8_RTX_PT, "rtx/90000", f"apt={VP8_PT}", ())
            bodies += _codec_lines(H264_PT, "H264/90000", H264_FMTP, VIDEO_FEEDBACK)
            bodies += _codec_lines(H264_RTX_PT, "rtx/90000", f"apt={H264_PT}", ())
            bodies.append(f"a=ssrc-group:FID {slot.ssrc} {slot.rtx_ssrc}")
        bodies += _ssrc_lines(slot, cname)
        bodies += _transport_lines(local, "actpass")
        bodies += _candidate_lines(local)
    return _join(_head([slot.mid for slot in slots]), bodies)


def _ssrc_lines(slot: OfferedSlot, cname: str) -> list[str]:
    ssrcs = [slot.ssrc] if slot.kind == "audio" else [slot.ssrc, slot.rtx_ssrc]
    lines: list[str] = []
    for ssrc in ssrcs:
        lines += [f"a=ssrc:{ssrc} cname:{cname}", f"a=ssrc:{ssrc} msid:slot{slot.mid} slot{slot.mid}"]
    return lines


def _codec_lines(number: int, encoding: str, fmtp: str, feedback: Sequence[str]) -> list[str]:
    lines = [f"a=rtpmap:{number} {encoding}"]
    lines += [f"a=rtcp-fb:{number} {kind}" for kind in feedback]
    return [*lines, f"a=fmtp:{number} {fmtp}"] if fmtp else lines


def _transport_lines(local: LocalTransport, setup: str) -> list[str]:
    return [
        f"a=ice-ufrag:{local.ufrag}",
        f"a=ice-pwd:{local.password}",
        f"a=fingerprint:sha-256 {local.fingerprint}",
        f"a=setup:{setup}",
    ]


def _candidate_lines(local: LocalTransport) -> list[str]:
    lines: list[str] = []
    for place, (host, port) in enumerate(local.addresses):
        priority = 126 << 24 | (65535 - place) << 8 | 255  # RFC 8445 5.1.2.1, host, component 1
        lines.append(f"a=candidate:{place + 1} 1 udp {priority} {host} {port} typ host")
    return [*lines, "a=end-of-candidates"]


def _head(mids: Sequence[str]) -> list[str]:
    bundle = " ".join(["a=group:BUNDLE", *mids])
    return ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite", bundle, "a=msid-semantic: WMS *"]


def _join(head: Sequence[str], bodies: Sequence[str]) -> str:
    return "\r\n".join([*head, *bodies]) + "\r\n"
