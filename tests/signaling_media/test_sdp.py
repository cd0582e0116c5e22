from __future__ import annotations

import contextlib

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from signaling.media import sdp
from signaling.media.rtp import ExtensionIds
from signaling.ports import MediaRefused
from tests.signaling_media.clients import new_connection

LOCAL = sdp.LocalTransport(
    "ufrag", "password-of-22-characters", ":".join(["AB"] * 32), (("127.0.0.1", 5004), ("::1", 5004))
)

FIREFOX = """v=0
o=mozilla...THIS_IS_SDPARTA-99.0 123 0 IN IP4 0.0.0.0
s=-
t=0 0
a=fingerprint:sha-256 AA:BB
a=group:BUNDLE 0 1
a=ice-options:trickle
a=msid-semantic:WMS *
m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 101
c=IN IP4 0.0.0.0
a=sendonly
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
a=ice-pwd:secretsecretsecretsecret
a=ice-ufrag:fox
a=mid:0
a=rtcp-mux
a=rtpmap:109 opus/48000/2
a=rtpmap:9 G722/8000/1
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=setup:actpass
a=ssrc:1111 cname:{x}
m=video 9 UDP/TLS/RTP/SAVPF 120 124 126 127
c=IN IP4 0.0.0.0
a=sendonly
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1
a=fmtp:124 apt=120
a=fmtp:127 apt=126
a=mid:1
a=rtcp-mux
a=rtpmap:120 VP8/90000
a=rtpmap:124 rtx/90000
a=rtpmap:126 H264/90000
a=rtpmap:127 rtx/90000
a=setup:actpass
a=ssrc:2222 cname:{x}
a=ssrc:3333 cname:{x}
a=ssrc-group:FID 2222 3333
""".replace("\n", "\r\n")


def test_what_firefox_offers_is_understood() -> None:
    offer = sdp.parse(FIREFOX)
    audio, video = (sdp.incoming(section) for section in offer.sections)
    assert (audio.kind, audio.codec.payload_type, audio.ssrc) == ("audio", 109, 1111)
    assert audio.ids == ExtensionIds(audio_level=1, mid=3)
    assert (video.codec.name, video.rtx_payload_type, video.ssrc, video.rtx_ssrc) == ("VP8", 124, 2222, 3333)
    assert offer.fingerprints == (sdp.Fingerprint("sha-256", "AA:BB"),)


def test_h264_is_taken_when_there_is_no_vp8() -> None:
    offer = sdp.parse(FIREFOX.replace("VP8", "VP9"))
    video = sdp.incoming(offer.sections[1])
    assert (video.codec.name, video.codec.payload_type, video.rtx_payload_type) == ("H264", 126, 127)


async def test_aiortc_accepts_our_answer_and_sends_what_was_agreed() -> None:
    client = new_connection()
    client.addTransceiver("audio", direction="sendonly")
    client.addTransceiver("video", direction="sendonly")
    client.createDataChannel("not ours")
    await client.setLocalDescription(await client.createOffer())
    offer = sdp.parse(client.localDescription.sdp)
    accepted = {section.mid: sdp.incoming(section) for section in offer.sections if section.kind == "audio"}
    text = sdp.publish_answer(offer, accepted, LOCAL)
    assert [section.port for section in sdp.parse(text).sections] == [9, 9, 0]
    await client.setRemoteDescription(RTCSessionDescription(text, "answer"))
    assert [t.currentDirection for t in client.getTransceivers()] == ["sendonly", "inactive"]
    await client.close()


async def test_our_offer_gives_aiortc_the_ssrc_of_every_slot() -> None:
    slots = [sdp.OfferedSlot("0", "audio", 11, 12), sdp.OfferedSlot("1", "video", 21, 22)]
    text = sdp.subscribe_offer(slots, LOCAL, "shimawa")
    theirs = SessionDescription.parse(text)
    assert [[each.ssrc for each in media.ssrc] for media in theirs.media] == [[11], [21, 22]]
    assert all(media.ice.iceLite for media in theirs.media)
    assert [candidate.ip for candidate in theirs.media[0].ice_candidates] == ["127.0.0.1", "::1"]
    client = RTCPeerConnection()
    await client.setRemoteDescription(RTCSessionDescription(text, "offer"))
    answer = sdp.parse((await client.createAnswer()).sdp.replace("a=setup", "a=ice-ufrag:x\r\na=setup"))
    assert [section.direction for section in answer.sections] == ["recvonly", "recvonly"]
    await client.close()


@pytest.mark.parametrize(
    ("find", "put"),
    [
        ("v=0", "w=0"),
        ("a=fingerprint:sha-256 AA:BB\r\n", ""),
        ("a=ice-ufrag:fox\r\n", ""),
        ("m=audio 9", "m=audio nine"),
        ("a=rtpmap:109 opus/48000/2", "a=rtpmap:200 opus/48000/2"),
        ("a=rtpmap:109 opus/48000/2", "a=rtpmap:x"),
        ("a=ssrc:1111", "a=ssrc:99999999999"),
        ("a=mid:0", "a=mid:a b"),
        ("a=extmap:1 ", "a=extmap:"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(find: str, put: str) -> None:
    assert find in FIREFOX
    with pytest.raises(MediaRefused) as refused:
        sdp.parse(FIREFOX.replace(find, put))
    assert refused.value.code == "bad_sdp"


@pytest.mark.parametrize(("find", "put"), [("opus", "speex"), ("a=sendonly", "a=recvonly"), ("a=rtcp-mux", "a=x")])
def test_an_m_line_that_we_cannot_take_is_refused(find: str, put: str) -> None:
    with pytest.raises(MediaRefused):
        sdp.incoming(sdp.parse(FIREFOX.replace(find, put)).sections[0])


@given(st.text(max_size=300))
def test_rubbish_is_refused_and_nothing_else(text: str) -> None:
    for candidate in (text, "v=0\r\n" + text, FIREFOX + "a=" + text):
        with contextlib.suppress(MediaRefused):
            sdp.parse(candidate)


@given(st.data())
def test_a_damaged_offer_is_refused_or_answered(data: st.DataObject) -> None:
    lines = FIREFOX.split("\r\n")
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        cut = data.draw(st.integers(0, max(1, len(lines[place]))))
        lines[place] = lines[place][:cut] + data.draw(st.text(max_size=4))
    with contextlib.suppress(MediaRefused):
        offer = sdp.parse("\r\n".join(lines))
        accepted = {section.mid: sdp.incoming(section) for section in offer.sections}
        sdp.parse(sdp.publish_answer(offer, accepted, LOCAL))
