// The session on the screen: tiles with names, who speaks, captions, sentences about line and record. Shows, decides nothing.

import { Captions, SiteColours, initial } from "./captions.js";
import { diskSentences } from "./disks.js";
import { byId, el, icon, notice, page, t } from "./dom.js";
import { Voices } from "./voices.js";

const TILES_WITHOUT_PICTURE = 6;
const BAND_LINES = 4;
const WIDE = 16 / 9;

const RECORD = () => ({
  on: ["well", t("record.on")],
  off: ["fault", t("record.off")],
  gap: ["attention", t("record.gap")],
});
const CAPTIONS = () => ({ on: "", delayed: t("captions.delayed"), unavailable: t("captions.unavailable") });

/** Columns, and the width in px, that make `count` 16:9 tiles largest in a field with gaps of `gap` px. */
export function columnsFor(count, width, height, gap = 0) {
  let best = { columns: 1, size: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const size = Math.min((width - gap * (columns - 1)) / columns, ((height - gap * (rows - 1)) / rows) * WIDE);
    if (size > best.size + 1) best = { columns, size: Math.floor(size) };
  }
  return best;
}

/** Peers, tracks and session as the hub last said: a snapshot with the events since applied. */
export class View {
  peers = new Map();
  tracks = new Map();
  session = { state: "planned", record: "on", captions: "on", message: "", at_risk: [] };

  take(snapshot) {
    this.peers = new Map(snapshot.peers?.map((peer) => [peer.peer_id, peer]));
    this.tracks = new Map(snapshot.tracks?.map((track) => [track.track_id, track]));
    const { state = "planned", record = "on", captions = "on" } = snapshot;
    this.session = { state, record, captions, message: "", at_risk: snapshot.at_risk ?? [] };
  }

  tracksOf(peerId, kind) {
    return [...this.tracks.values()].filter((track) => track.peer_id === peerId && track.kind === kind);
  }
}

export class Stage {
  #view = new View(); #me = null; #media = new Map(); #tiles = new Map(); #sounds = new Map();
  #voices = new Voices(); #captions = new Captions(); #colours = new SiteColours(); #sentences = new Map(); #bandOn = true;

  constructor() {
    new ResizeObserver(() => this.#arrange()).observe(byId("tiles"));
    setInterval(() => this.#markVoices(), 300);
  }

  get view() { return this.#view; }

  voices() { return this.#voices; }

  /** Take the events of a signaling connection. */
  listen(signaling) {
    const view = this.#view;
    const change = (apply) => (body) => {
      apply(body);
      this.render();
    };
    signaling
      .on("joined", ({ welcome }) => {
        this.#me = welcome.peer_id;
        if (welcome.snapshot) view.take(welcome.snapshot);
        this.say("lobby", welcome.role === "lobby" ? ["plain", t("call.lobby")] : null);
        this.render();
      })
      .on("admitted", ({ snapshot }) => {
        view.take(snapshot);
        this.say("lobby", null);
        this.render();
      })
      .on("peer.changed", change(({ peer }) => view.peers.set(peer.peer_id, peer)))
      .on("peer.left", change(({ peer_id: peerId }) => view.peers.delete(peerId)))
      .on("track.changed", change(({ track }) => view.tracks.set(track.track_id, { muted: false, suspect: false, ...track })))
      .on("track.ended", change(({ track_id: trackId }) => view.tracks.delete(trackId)))
      .on("session.changed", change((session) => { view.session = { record: "on", captions: "on", message: "", at_risk: [], ...session }; }))
      .on("levels", ({ levels }) => this.#voices.hear(levels, performance.now()))
      .on("line.committed", (line) => this.#captions.commit(line) && this.#showBand())
      .on("caption.partial", (partial) => this.#captions.partial(partial) && this.#showBand());
  }

  /** One sentence per subject; null takes it back. */
  say(subject, words) {
    if (words) this.#sentences.set(subject, words);
    else if (!this.#sentences.delete(subject)) return;
    byId("sentences").replaceChildren(...Array.from(this.#sentences.values(), ([weight, text, ...more]) => notice(weight, text, ...more)));
  }

  showLink(well, text) {
    byId("line-state").replaceChildren(el("span", { class: `dot ${well ? "well" : "attention"}`, "aria-hidden": "true" }), text);
    byId("tiles").classList.toggle("stale", !well);
  }

  /** What can be seen and heard now: track id -> MediaStreamTrack. */
  play(media) {
    this.#media = media;
    this.#playSounds();
    this.render();
  }

  showCaptions(on) {
    this.#bandOn = on;
    byId("band").hidden = !on;
  }

  showSelf(track, name) {
    const video = byId("me-video");
    video.hidden = !track;
    video.srcObject = track ? new MediaStream([track]) : null;
    byId("me-initial").hidden = Boolean(track);
    byId("me-initial").textContent = initial(name);
    byId("me-name").textContent = name;
  }

  render() {
    const others = [...this.#view.peers.values()].filter((peer) => peer.peer_id !== this.#me && peer.role !== "lobby" && peer.role !== "observer");
    const pictured = others.filter((peer) => this.#picture(peer));
    const tiled = others.length <= TILES_WITHOUT_PICTURE ? others : pictured;
    byId("alone").hidden = others.length > 0;
    byId("tiles").hidden = tiled.length === 0;
    this.#renderTiles(tiled);
    this.#renderStrip(others.filter((peer) => !tiled.includes(peer)));
    this.#renderSession();
    this.#arrange();
    this.#markVoices();
  }

  // ---- people ----

  #picture(peer) {
    return this.#view.tracksOf(peer.peer_id, "video").find((track) => !track.muted && this.#media.has(track.track_id)) ?? null;
  }

  #renderTiles(peers) {
    const here = new Set(peers.map(({ peer_id: peerId }) => peerId));
    for (const [peerId, tile] of this.#tiles) {
      if (here.has(peerId)) continue;
      tile.root.remove();
      this.#tiles.delete(peerId);
    }
    for (const peer of peers) {
      if (!this.#tiles.has(peer.peer_id)) this.#tiles.set(peer.peer_id, this.#newTile(peer));
      this.#updateTile(this.#tiles.get(peer.peer_id), peer);
    }
  }

  #newTile(peer) {
    const video = el("video", { autoplay: true, playsinline: true, hidden: true });
    video.muted = true;
    const tile = {
      video,
      letter: el("span", { class: "initial", "aria-hidden": "true" }),
      name: el("span", { class: "name" }),
      marks: el("span", { class: "mark" }),
      state: el("p", { class: "state", hidden: true }),
    };
    const plate = el("figcaption", { class: "plate" }, el("span", { class: "voice", "aria-hidden": "true" }, icon("voice")), tile.name, tile.marks);
    tile.root = el("figure", { class: `tile ${this.#colours.of(peer.site_id)}`, "data-peer": peer.peer_id }, tile.letter, video, tile.state, plate);
    byId("tiles").append(tile.root);
    return tile;
  }

  #updateTile(tile, peer) {
    const name = nameOf(peer);
    tile.name.textContent = name;
    tile.name.title = name;
    tile.letter.textContent = initial(name);
    const picture = this.#picture(peer);
    const track = picture ? this.#media.get(picture.track_id) : null;
    if ((tile.video.srcObject?.getTracks()[0] ?? null) !== track) {
      tile.video.srcObject = track ? new MediaStream([track]) : null;
      if (track) tile.video.play().catch(() => {});
    }
    tile.video.hidden = !track;
    tile.letter.hidden = Boolean(track);
    const away = peer.state === "reconnecting";
    const stopped = Boolean(picture?.suspect);
    tile.state.hidden = !away && !stopped;
    tile.state.textContent = away ? t("call.peer_away") : t("call.picture_stopped");
    tile.root.classList.toggle("stale", away || stopped);
    tile.marks.replaceChildren(...this.#marks(peer));
  }

  #marks(peer) {
    const sounds = this.#view.tracksOf(peer.peer_id, "audio");
    const marks = [];
    if (peer.hand_raised) marks.push(el("span", { class: "hand", title: t("call.hand_up") }, icon("hand"), el("span", { class: "visually-hidden" }, t("call.hand_up"))));
    if (sounds.length === 0 || sounds.every((track) => track.muted)) marks.push(el("span", { title: t("call.mic_closed") }, icon("mic-off"), el("span", { class: "visually-hidden" }, t("call.mic_closed"))));
    return marks;
  }

  #renderStrip(peers) {
    byId("strip").hidden = peers.length === 0;
    byId("strip").replaceChildren(...peers.map((peer) => {
      const name = nameOf(peer);
      const colour = this.#colours.of(peer.site_id);
      return el("li", { class: `${colour}${peer.state === "reconnecting" ? " away" : ""}`, "data-peer": peer.peer_id },
        el("span", { class: "swatch", "aria-hidden": "true" }, initial(name)),
        el("span", { class: "name", title: name }, name),
        ...this.#marks(peer),
        el("span", { class: "voice", "aria-hidden": "true" }, icon("voice")));
    }));
  }

  #arrange() {
    const field = byId("tiles");
    const count = this.#tiles.size;
    if (!count || !field.clientWidth) return;
    const { columns, size } = columnsFor(count, field.clientWidth, field.clientHeight, parseFloat(getComputedStyle(field).columnGap) || 0);
    field.style.setProperty("--cols", columns);
    field.style.setProperty("--wide", `${size}px`);
  }

  #markVoices() {
    const speaking = new Set(this.#voices.speaking(performance.now()).map((trackId) => this.#view.tracks.get(trackId)?.peer_id));
    for (const element of document.querySelectorAll("[data-peer]")) element.classList.toggle("speaking", speaking.has(element.dataset.peer));
    byId("me").classList.toggle("speaking", speaking.has(this.#me));
  }

  /** One element per slot's track. Keyed by the track itself: a new generation may give it the same id. */
  #playSounds() {
    const heard = new Set([...this.#media.values()].filter((track) => track.kind === "audio"));
    for (const track of heard) {
      if (this.#sounds.has(track)) continue;
      const audio = el("audio", { autoplay: true });
      audio.srcObject = new MediaStream([track]);
      byId("sounds").append(audio);
      this.#sounds.set(track, audio);
      audio.play().catch((error) => { if (error.name === "NotAllowedError") this.#askForSound(); });
    }
    for (const [track, audio] of this.#sounds) {
      if (heard.has(track)) continue;
      audio.srcObject = null;
      audio.remove();
      this.#sounds.delete(track);
    }
  }

  #askForSound() {
    const button = el("button", { type: "button", onclick: () => {
      for (const audio of this.#sounds.values()) audio.play().catch(() => {});
      this.say("sound", null);
    } }, t("call.sound_on"));
    this.say("sound", ["attention", t("call.sound_blocked"), " ", button]);
  }

  // ---- session and captions ----

  #renderSession() {
    const { state, record, captions, message, at_risk: atRisk } = this.#view.session;
    const [weight, words] = state === "live" ? RECORD()[record] ?? RECORD().on : ["plain", state === "ended" ? t("call.ended") : t("call.not_begun")];
    byId("record-state").replaceChildren(el("span", { class: `dot ${weight}`, "aria-hidden": "true" }), words);
    document.body.classList.toggle("off-record", state === "live" && record === "off");
    this.say("record", state === "live" && record === "gap" ? ["attention", t("record.gap_long")] : null);
    const risks = state === "live" ? diskSentences(atRisk) : [];
    this.say("disk", risks.length ? ["attention", risks.map(([, sentence]) => sentence).join(" ")] : null);
    const trouble = CAPTIONS()[captions];
    this.say("captions", state === "live" && trouble ? ["plain", trouble, message && page.language === "en" ? el("small", { class: "quiet" }, ` ${message}`) : ""] : null);
  }

  #showBand() {
    const lines = [...this.#captions.lines.values()].slice(-BAND_LINES);
    const names = new Map([...this.#view.peers.values()].map((peer) => [peer.site_id, peer.site_name]));
    byId("band-lines").replaceChildren(...lines.map((line) => el("p", { lang: line.language || null }, el("b", {}, line.site_name), line.text)));
    byId("band-partials").replaceChildren(...[...this.#captions.partials.values()].map((partial) =>
      el("p", { class: "partial", lang: partial.language || null }, el("b", {}, names.get(partial.site_id) ?? ""), partial.text)));
    byId("band-empty").hidden = lines.length + this.#captions.partials.size > 0;
  }
}

/** A board is its place; a person is who they said they are. */
export function nameOf(peer) {
  return (peer.role === "board" ? peer.site_name : peer.display_name || peer.site_name) || t("call.nameless");
}
