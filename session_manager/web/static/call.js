// The browser's two peer connections, and nothing of the page.
//
// Publish: we offer. Subscribe: the hub offers pre-allocated slots, and `media.slots` says whose track flows in which.
// A connection that died is replaced by the next generation, made before the old one is taken down. Nobody waits for
// candidates: the hub learns our address from our first packet.

const AUDIO_SLOTS = 8;
const VIDEO_SLOTS = 4;
const AUDIO_BITS = 32_000;
const VIDEO_BITS = 500_000;
const VIDEO_FPS = 15;
const UP_MS = 10_000;
/** The hub sends something on every connection twice a second: silence is news. */
const LOOK_MS = 500;
const SUSPECT_MS = 1_000;
const DEAD_MS = 3_000;
/** Two looks so far apart: this page was asleep, and what it did not hear proves nothing. */
const LATE_LOOK_MS = 1_500;
const LONGEST_PAUSE_MS = 10_000;

/** Refusals that trying again does not change; the next welcome or admission does. */
const ENDING = new Set(["lost", "not_permitted", "session_ended"]);

const NAMES = { audio: ["mic", "person_mic"], video: ["cam", "person_cam"] };

/** VP8 first and nothing else for pictures: the hub forwards and never transcodes. */
function preferVp8(transceiver) {
  const codecs = RTCRtpSender.getCapabilities?.("video")?.codecs ?? [];
  const chosen = codecs.filter(({ mimeType }) => /\/(vp8|rtx)$/i.test(mimeType));
  if (chosen.some(({ mimeType }) => /vp8$/i.test(mimeType))) transceiver.setCodecPreferences?.(chosen);
}

/** Mono at 32 kb/s with in-band repair and without pauses: the hub's log then counts every 20 ms. */
export function speechOpus(sdp) {
  const payload = /a=rtpmap:(\d+) opus\/48000/i.exec(sdp)?.[1];
  if (!payload) return sdp;
  const wanted = `a=fmtp:${payload} minptime=20;useinbandfec=1;usedtx=0;stereo=0;maxaveragebitrate=${AUDIO_BITS}`;
  const line = new RegExp(`a=fmtp:${payload} [^\\r\\n]*`);
  return line.test(sdp) ? sdp.replace(line, wanted) : sdp.replace(new RegExp(`(a=rtpmap:${payload} [^\\r\\n]*)`), `$1\r\n${wanted}`);
}

const delay = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** All bytes that came on a connection so far; null while it cannot be told. */
async function bytesReceived(pc) {
  const report = await pc.getStats().catch(() => null);
  for (const each of report?.values() ?? []) if (each.type === "transport") return each.bytesReceived ?? null;
  return null;
}

/**
 * How long nothing has come, by a counter that is read now and then. `note(count, now)` gives `alive`, `suspect` (a
 * second) or `dead` (three); what was never heard is still being opened, and a page that slept starts anew.
 */
export class Pulse {
  #count = 0; #since = 0; #looked = null;

  note(count, now) {
    const late = this.#looked !== null && now - this.#looked > LATE_LOOK_MS;
    this.#looked = now;
    if (!count || count !== this.#count) {
      this.#count = count;
      this.#since = now;
    } else if (late) {
      this.#since = Math.max(this.#since, now - SUSPECT_MS);
    }
    const silent = now - this.#since;
    if (silent >= DEAD_MS) return "dead";
    return silent >= SUSPECT_MS ? "suspect" : "alive";
  }
}

/** One direction. `dial(generation)` makes the connection; this class keeps exactly one of them alive. */
class Direction {
  constructor(name, dial, tell) {
    Object.assign(this, { name, dial, tell, generation: -1, pc: null, next: null, wanted: false, failures: 0, running: null });
    this.verdict = "alive";
  }

  reset() {
    this.stop();
    this.generation = -1;
  }

  stop() {
    this.wanted = false;
    this.close(this.pc);
    this.close(this.next);
    this.pc = this.next = null;
    this.failures = 0;
    this.again = false;
  }

  close(pc) {
    if (!pc) return;
    pc.onconnectionstatechange = null;
    clearTimeout(pc.deadline);
    clearInterval(pc.watch);
    pc.close();
  }

  /** Make the next generation. Asked again while one is being made: once more when that one is done. */
  make() {
    this.wanted = true;
    if (this.running) {
      this.again = true;
      return this.running;
    }
    this.running = this.#run().finally(() => {
      this.running = null;
      if (this.again && this.wanted) {
        this.again = false;
        this.make();
      }
    });
    return this.running;
  }

  async #run() {
    const generation = ++this.generation;
    this.close(this.next);
    this.next = null;
    let pc = null;
    try {
      pc = await this.dial(generation, (made) => { this.#watch(made, generation); });
    } catch (error) {
      this.close(this.next);
      this.next = null;
      this.tell("trouble", { connection: this.name, code: error.code ?? error.name, message: error.message });
      if (ENDING.has(error.code)) return;
      await delay(Math.max(error.retryAfterMs ?? 0, Math.min(LONGEST_PAUSE_MS, 300 * 2 ** this.failures++)));
      if (this.wanted) this.again = true;
      return;
    }
    if (pc === null) this.close(this.next);
  }

  #watch(pc, generation) {
    this.next = pc;
    pc.generation = generation;
    pc.deadline = setTimeout(() => this.#failed(pc, "slow"), UP_MS);
    pc.onconnectionstatechange = () => {
      const state = pc.connectionState;
      clearTimeout(pc.deadline);
      if (state === "connected") {
        this.failures = 0;
        if (this.next === pc) {
          const old = this.pc;
          this.pc = pc;
          this.next = null;
          this.close(old);
          this.#listen(pc);
          this.tell("up", { connection: this.name, generation });
        }
      } else if (state === "failed" || state === "closed") {
        this.#failed(pc, state);
      } else if (state !== "disconnected") {
        pc.deadline = setTimeout(() => this.#failed(pc, "slow"), UP_MS);
      }
    };
  }

  /** Own liveness: the browser's word for a dead path comes after 6 s, its end after 16. */
  #listen(pc) {
    const pulse = new Pulse();
    this.verdict = "alive";
    pc.watch = setInterval(async () => {
      const count = await bytesReceived(pc);
      if (count === null || pc !== this.pc) return;
      const before = this.verdict;
      this.verdict = pulse.note(count, performance.now());
      if (this.verdict === before) return;
      if (this.verdict === "alive") this.tell("heard", { connection: this.name });
      else if (before === "alive") this.tell("suspect", { connection: this.name });
      if (this.verdict === "dead" && !this.next && !this.running) this.#failed(pc, "silent");
    }, LOOK_MS);
  }

  async #failed(pc, cause) {
    if (!this.wanted || (pc !== this.pc && pc !== this.next)) return;
    // A path that fell silent may still come back: it is listened to until the next one carries.
    if (cause !== "silent") pc.onconnectionstatechange = null;
    this.tell("down", { connection: this.name, cause });
    if (this.failures > 0) await delay(Math.min(LONGEST_PAUSE_MS, 300 * 2 ** this.failures));
    this.failures += 1;
    if (this.wanted && (pc === this.pc || pc === this.next)) this.make();
  }
}

/**
 * Emits (`on`): `media` {trackId -> MediaStreamTrack} whenever what can be heard and seen changed; `up` and `down`
 * {connection}; `suspect` (nothing came for a second) and `heard` (again) {connection}; `trouble` {connection, code, message}.
 */
export class Call {
  #signaling; #listeners = new Map(); #local = { audio: null, video: null }; #muted = { audio: false, video: false };
  #publish; #subscribe; #published = new Map(); #slots = []; #early = new Map(); #started = false; #permissions = [];

  constructor(signaling) {
    this.#signaling = signaling;
    const tell = (type, body) => this.#tell(type, body);
    this.#publish = new Direction("publish", (generation, watch) => this.#dialPublish(generation, watch), tell);
    this.#subscribe = new Direction("subscribe", (generation, watch) => this.#dialSubscribe(generation, watch), (type, body) => {
      tell(type, body);
      if (type === "up") this.#mediaChanged();
    });
    this.on("heard", () => signaling.hurry());
    signaling.on("joined", ({ welcome, resumed }) => {
      this.#permissions = welcome.permissions ?? [];
      this.#joined(resumed);
    });
    signaling.on("admitted", ({ permissions }) => {
      this.#permissions = permissions ?? [];
      if (this.#started) this.#makeBoth();
    });
    signaling.on("media.slots", ({ generation, slots }) => this.#slotsChanged(generation, slots));
    signaling.on("media.replace", ({ connection, generation }) => this.#replace(connection, generation));
  }

  on(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(listener);
    return this;
  }

  /** Begin with these tracks (either may be null) and keep both connections until `stop`. */
  start({ audio = null, video = null }) {
    this.#local = { audio, video };
    this.#started = true;
    if (this.#signaling.isOpen) this.#makeBoth();
  }

  stop() {
    this.#started = false;
    this.#publish.stop();
    this.#subscribe.stop();
  }

  /** Put another microphone or camera (or none) in the place of the old one. */
  async setTrack(kind, track) {
    this.#local[kind] = track;
    const pc = this.#publish.next ?? this.#publish.pc;
    const sender = pc?.senders?.[kind];
    if (sender) await sender.replaceTrack(track).catch(() => this.#publish.make());
    else if (track && this.#started && this.#may("media.publish")) this.#publish.make();
  }

  /** Say that this track is silent on purpose, so that nobody takes the silence for a fault. */
  setMuted(kind, muted) {
    this.#muted[kind] = muted;
    const trackId = this.#published.get(kind);
    if (trackId && this.#signaling.isOpen) this.#signaling.request("media.mute", { track_id: trackId, muted }).catch(() => {});
  }

  /** Which tracks to send us and how large; see `media.want`. */
  want(wants, budgetKbps = null) {
    const body = { wants };
    if (budgetKbps !== null) body.budget_kbps = budgetKbps;
    return this.#signaling.request("media.want", body).catch(() => {});
  }

  /** Own track ids by kind, once published. */
  get published() { return this.#published; }

  /** Of the connections that are up. */
  get generations() { return { publish: this.#publish.pc?.generation, subscribe: this.#subscribe.pc?.generation }; }

  get connections() { return { publish: this.#publish.pc, subscribe: this.#subscribe.pc }; }

  // ---- signaling ----

  #joined(resumed) {
    if (!this.#started) return;
    if (!resumed) {
      // A new peer: the hub has forgotten the old one's connections, and numbers ours from 0.
      this.#publish.reset();
      this.#subscribe.reset();
      this.#published.clear();
      this.#slots = [];
      this.#early.clear();
      this.#makeBoth();
      return;
    }
    for (const direction of [this.#publish, this.#subscribe]) {
      const dead = !direction.pc || direction.verdict === "dead" || ["failed", "closed"].includes(direction.pc.connectionState);
      if (direction.wanted && dead && !direction.next) direction.make();
    }
  }

  #makeBoth() {
    if ((this.#local.audio || this.#local.video) && this.#may("media.publish")) this.#publish.make();
    if (this.#may("media.subscribe")) this.#subscribe.make();
  }

  /** A hub that lists nothing forbids nothing. */
  #may(command) {
    return this.#permissions.length === 0 || this.#permissions.includes(command);
  }

  #replace(connection, generation) {
    const direction = connection === "publish" ? this.#publish : this.#subscribe;
    if (direction.wanted && generation >= direction.generation) direction.make();
  }

  #slotsChanged(generation, slots) {
    if (generation === this.#subscribe.generation) {
      this.#slots = slots;
      this.#mediaChanged();
    } else if (generation > this.#subscribe.generation) {
      this.#early.set(generation, slots);
    }
  }

  // ---- connections ----

  #connection() {
    const servers = this.#signaling.welcome?.ice_servers ?? [];
    const iceServers = servers.map(({ urls, username, credential }) => (username ? { urls, username, credential } : { urls }));
    return new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" });
  }

  async #dialPublish(generation, watch) {
    const pc = this.#connection();
    watch(pc);
    pc.senders = {};
    const transceivers = {};
    for (const kind of ["audio", "video"]) {
      const track = this.#local[kind];
      if (!track) continue;
      const encoding = kind === "audio" ? { maxBitrate: AUDIO_BITS } : { maxBitrate: VIDEO_BITS, maxFramerate: VIDEO_FPS };
      transceivers[kind] = pc.addTransceiver(track, { direction: "sendonly", sendEncodings: [encoding] });
      if (kind === "video") preferVp8(transceivers[kind]);
    }
    await pc.setLocalDescription(await pc.createOffer());
    const kinds = Object.keys(transceivers);
    const tracks = kinds.map((kind) => ({ name: NAMES[kind][0], kind, source: NAMES[kind][1], mid: transceivers[kind].mid }));
    const reply = await this.#signaling.request("media.publish", { generation, sdp: pc.localDescription.sdp, tracks });
    await pc.setRemoteDescription({ type: "answer", sdp: speechOpus(reply.sdp) });
    for (const kind of kinds) {
      pc.senders[kind] = transceivers[kind].sender;
      if (transceivers[kind].sender.track !== this.#local[kind]) await transceivers[kind].sender.replaceTrack(this.#local[kind]);
    }
    this.#published = new Map(reply.tracks.map(({ kind, track_id: trackId }) => [kind, trackId]));
    for (const kind of kinds) if (this.#muted[kind]) this.setMuted(kind, true);
    this.#tell("published", {});
    return pc;
  }

  async #dialSubscribe(generation, watch) {
    const offer = await this.#signaling.request("media.subscribe", { generation, audio: AUDIO_SLOTS, video: VIDEO_SLOTS });
    const pc = this.#connection();
    watch(pc);
    await pc.setRemoteDescription({ type: "offer", sdp: offer.sdp });
    pc.byMid = new Map(pc.getTransceivers().map((transceiver) => [transceiver.mid, transceiver.receiver.track]));
    await pc.setLocalDescription(await pc.createAnswer());
    this.#slots = this.#early.get(generation) ?? offer.slots;
    this.#early.clear();
    await this.#signaling.request("media.answer", { generation, sdp: pc.localDescription.sdp });
    return pc;
  }

  #mediaChanged() {
    const pc = this.#subscribe.pc;
    const tracks = new Map();
    for (const { mid, track_id: trackId } of pc ? this.#slots : []) {
      const track = trackId ? pc.byMid?.get(mid) : null;
      if (track) tracks.set(trackId, track);
    }
    this.#tell("media", tracks);
  }

  #tell(type, body) {
    for (const listener of this.#listeners.get(type) ?? []) listener(body);
  }
}
