"""What the board says of itself: facts as values, one sentence in Japanese and English, ready for JSON.

The touch panel, the demo and an administrator all read these; nothing here holds a token, an address or speech.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

State = Literal["idle", "joining", "live", "reconnecting", "unreachable", "refused", "stopped"]
MediaState = Literal["off", "opening", "up", "lost", "waiting"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is so, and what a person can do about it."""

    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class SessionFacts:
    session_id: str
    title: str
    state: str
    site_id: str
    site_name: str
    starts_at: float | None = None
    ends_at: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """`name` None: not open. `error`: one sentence, None when all is well or the device was not asked for."""

    kind: Literal["microphone", "camera", "speaker"]
    wanted: str
    name: str | None = None
    error: str | None = None
    muted: bool = False


@dataclass(frozen=True, slots=True)
class EchoFacts:
    """`reduction_db`: how much quieter the canceller makes the microphone while the loudspeaker sounds; None: off."""

    wanted: str = "off"
    active: bool = False
    reduction_db: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """`loss`: share of this board's packets that did not reach the hub lately, 0 to 1. None: not measured yet."""

    signaling: str = "off"
    publish: MediaState = "off"
    subscribe: MediaState = "off"
    publish_generation: int = 0
    subscribe_generation: int = 0
    rtt_ms: float | None = None
    loss: float | None = None
    suspect: bool = False
    """Nothing came from the hub for a second or more on a connection that stands."""


@dataclass(frozen=True, slots=True)
class SendFacts:
    """`epoch` None: no microphone was opened yet. Counters are of this epoch, frames of this process."""

    epoch: int | None = None
    packets_encoded: int = 0
    packets_sent: int = 0
    packets_dropped: int = 0
    frames_sent: int = 0


@dataclass(frozen=True, slots=True)
class HeardFacts:
    site_name: str
    first_heard_at: float


@dataclass(frozen=True, slots=True)
class JoinFacts:
    """Milliseconds since the board began to join: first audio packet received, own media connected."""

    join_ms: float | None = None
    published_ms: float | None = None


@dataclass(frozen=True, slots=True)
class UnsentFacts:
    session_id: str
    title: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SpoolFacts:
    """What this board keeps of its own sound. Seconds: `unsent_s` are safe here but not yet at the hub (`unsent`: from
    which session), `at_risk_s` are in memory only, `lost_s` were given up, `room_s` still fit (None: not known yet).

    `recording_alone`: a session is on and the hub cannot be reached. `level` full: nothing can be written.
    """

    level: Literal["ok", "near", "full"] = "ok"
    recording_alone: bool = False
    off_record: bool = False
    upload: Literal["idle", "sending", "waiting", "hub_full", "without"] = "idle"
    unsent_s: float = 0.0
    unsent: tuple[UnsentFacts, ...] = ()
    sent_packets: int = 0
    sent_bytes: int = 0
    room_s: float | None = None
    at_risk_s: float = 0.0
    lost_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Status:
    """`playout`: play-out figures by site id, as the buffer reports them. `detail` is added to the sentence."""

    state: State
    session: SessionFacts | None = None
    devices: tuple[DeviceFacts, ...] = ()
    echo: EchoFacts = EchoFacts()
    link: LinkFacts = LinkFacts()
    sending: SendFacts = SendFacts()
    join: JoinFacts = JoinFacts()
    heard: Mapping[str, HeardFacts] = field(default_factory=dict)
    playout: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    spool: SpoolFacts = SpoolFacts()
    retry_in_s: float | None = None
    detail: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Plain values, with `sentence` computed."""
        return {**asdict(self), "sentence": asdict(sentence(self))}


_PLAIN: dict[State, Sentence] = {
    "idle": Sentence(
        "予定されたセッションはありません。時間になると自動でつながります。",
        "No session is due. This board joins by itself when one begins.",
    ),
    "joining": Sentence("接続しています。", "Joining the session."),
    "live": Sentence("つながっています。", "Connected."),
    "reconnecting": Sentence(
        "ハブとの通信が切れました。自動でつなぎ直しています。そのままお待ちください。",
        "The link to the hub was lost. The board is reconnecting by itself; please wait.",
    ),
    "unreachable": Sentence(
        "ハブが応答しません。ネットワークケーブルとハブの電源を確かめてください。自動で試し続けます。",
        "The hub does not answer. Check the network cable and that the hub is on; the board keeps trying.",
    ),
    "refused": Sentence(
        "このボードはハブに登録されていません。管理者に登録を頼んでください。",
        "The hub does not know this board. Ask an administrator to add it.",
    ),
    "stopped": Sentence("終了しました。", "Stopped."),
}

_ALONE = Sentence(
    "回線が切れています。ここで録音しています。つながると自動で送ります。",
    "The line is down. The board is recording here and sends it by itself when the line is back.",
)
WORTH_SAYING_S = 15.0
"""Less than this is on its way in any session."""

_DEVICE_JA = {"microphone": "マイク", "camera": "カメラ", "speaker": "スピーカー"}
_WITHOUT = {
    "microphone": Sentence("こちらの声は届いていません", "the others cannot hear this room"),
    "camera": Sentence("こちらの映像は届いていません", "the others cannot see this room"),
    "speaker": Sentence("相手の声が聞こえません", "this room cannot hear the others"),
}


def sentence(status: Status) -> Sentence:
    """The state, then whatever a person in the room should know or do."""
    plain = _PLAIN[status.state]
    ja, en = [plain.ja], [plain.en]
    if status.spool.recording_alone and status.spool.level != "full":
        ja, en = [_ALONE.ja], [_ALONE.en]
    if status.state == "live" and "up" not in (status.link.publish, status.link.subscribe):
        ja, en = ["音声の通り道を準備しています。"], ["Connected to the hub; sound is on its way."]
    elif status.state == "live" and status.link.suspect:
        ja = ["ハブからの音声が途切れています。自動でつなぎ直します。そのままお待ちください。"]
        en = ["Nothing comes from the hub right now. The board reconnects by itself; please wait."]
    for device in status.devices:
        if device.error is not None:
            without = _WITHOUT[device.kind]
            ja.append(f"{_DEVICE_JA[device.kind]}が使えません。{without.ja}。つなぎ直すと自動で使い始めます。")
            en.append(f"No {device.kind}: {without.en}. {device.error}")
        elif device.muted:
            ja.append(f"{_DEVICE_JA[device.kind]}は消音中です。")
            en.append(f"The {device.kind} is muted.")
    for said in _of_spool(status.spool):
        ja.append(said.ja)
        en.append(said.en)
    if status.detail:
        en.append(status.detail)
    return Sentence("".join(ja), " ".join(en))


def _of_spool(spool: SpoolFacts) -> Iterator[Sentence]:
    if spool.off_record:
        yield Sentence("いまは記録していません。", "Off the record: nothing that is said is kept.")
    if spool.level == "full":
        risk = f"{spool.at_risk_s:.0f}"
        yield Sentence(
            f"ディスクがいっぱいで録音をためられません（{risk}秒分はまだ保存されていません）。会話は続けられます。"
            "管理者に知らせてください。",
            f"The disk is full, so sound cannot be kept here ({risk} s are not safe yet). The talk goes on; "
            "tell an administrator to make room.",
        )
    elif spool.level == "near" and spool.room_s is not None:
        yield Sentence(
            f"録音をためる場所があと約{spool.room_s / 60:.0f}分分しかありません。管理者に知らせてください。",
            f"There is room for about {spool.room_s / 60:.0f} more minutes of sound; tell an administrator.",
        )
    if spool.unsent_s >= WORTH_SAYING_S:
        yield Sentence(f"まだ送っていない録音：{_ja(spool.unsent_s)}。", f"Still to be sent: {_en(spool.unsent_s)}.")
    if spool.lost_s:
        yield Sentence(
            f"置く場所がなく、送る前の録音{_ja(spool.lost_s)}が失われました。",
            f"For want of room {_en(spool.lost_s)} of sound were lost before they could be sent.",
        )


def _ja(seconds: float) -> str:
    return f"{seconds:.0f}秒" if seconds < 60 else f"{seconds / 60:.0f}分"


def _en(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"
