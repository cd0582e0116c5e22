// The join page: from an invitation to a place in the session. The only script that knows all the others.

import { alreadyAllowed, listDevices, openDevices, watchLevel } from "./devices.js";
import { ApiError, api, byId, el, icon, notice, page, t } from "./dom.js";

const STORE = "shimawa.join";
const TOKEN_GOOD_MS = 45_000;

const remembered = JSON.parse(sessionStorage.getItem(STORE) ?? "{}");
const remember = (more) => sessionStorage.setItem(STORE, JSON.stringify(Object.assign(remembered, more)));

const local = { audio: null, video: null };
const on = { audio: true, video: true };
let stopLevel = () => {};
let handUp = false;
let draw = () => {};

/** What only the session needs comes while the name is typed, so that the first page is light on a thin line. */
async function sessionParts() {
  try {
    const parts = await Promise.all([import("./call.js"), import("./pictures.js"), import("./protocol.js"), import("./stage.js")]);
    return Object.assign({}, ...parts);
  } catch {
    throw new ApiError(0, "offline", t("common.offline"));
  }
}

// ---- before joining --------------------------------------------------------------------------------------------------

function show(name) {
  for (const section of document.querySelectorAll("[data-view]")) section.hidden = section.dataset.view !== name;
  document.body.classList.toggle("in-session", name === "session");
}

function fail(place, text, weight = "fault") {
  byId(place).replaceChildren(text ? notice(weight, text) : "");
}

function readCode() {
  const code = decodeURIComponent(location.hash.slice(1)).trim();
  if (!code) return;
  for (const key of Object.keys(remembered)) delete remembered[key];
  remember({ code });
  history.replaceState(null, "", location.pathname + location.search);
}

const DOOR = () => ({ not_found: t("join.no_door"), not_possible: t("over.session"), not_permitted: t("join.other_door"), bad_request: t("join.name_odd") });

async function look() {
  try {
    const found = await api("POST", "/api/join/look", { code: remembered.code }, DOOR());
    if (found.role === "observer") {
      location.replace(`/live#${encodeURIComponent(remembered.code)}`);
      return;
    }
    remember({ title: found.title });
    showLobby(found);
  } catch (error) {
    show("code");
    byId("code").value = remembered.code ?? "";
    fail("code-problem", error.message);
  }
}

function showLobby({ title, record = "on", captions = "on" }) {
  const state = [];
  if (captions !== "on") state.push(notice("plain", captions === "delayed" ? t("captions.delayed") : t("captions.unavailable")));
  if (record === "gap") state.push(notice("attention", t("record.gap_long")));
  byId("lobby-state").replaceChildren(...state);
  byId("title").textContent = title ?? "";
  document.title = `${title ?? ""} · ${t("common.product")}`;
  byId("name").value = remembered.name ?? "";
  for (const radio of document.querySelectorAll("input[name=language]")) radio.checked = radio.value === (remembered.language ?? page.language);
  show("lobby");
  if (!byId("name").value) byId("name").focus({ preventScroll: true });
  fillDevices();
  sessionParts().catch(() => {});
  alreadyAllowed().then((allowed) => { if (allowed) preview(); });
}

const chosen = (kind) => {
  const value = byId(kind === "audio" ? "mic" : "camera").value;
  return value === "off" ? null : { deviceId: value };
};

async function fillDevices() {
  const found = await listDevices();
  for (const [kind, id] of [["audio", "mic"], ["video", "camera"]]) {
    const select = byId(id);
    const before = select.value;
    const automatic = el("option", { value: "" }, t("join.automatic"));
    const off = el("option", { value: "off" }, kind === "audio" ? t("join.mic_off") : t("join.camera_off"));
    select.replaceChildren(automatic, ...found[kind].map((device) => el("option", { value: device.deviceId }, device.label)), off);
    select.value = [...select.options].some((option) => option.value === before) ? before : "";
  }
}

async function preview() {
  byId("try").disabled = true;
  await openLocal();
  byId("try").hidden = true;
  await fillDevices();
}

async function openLocal() {
  closeLocal();
  const found = await openDevices({ audio: chosen("audio"), video: chosen("video") });
  Object.assign(local, { audio: found.audio, video: found.video });
  byId("device-problem").replaceChildren(...found.problems.map((text) => notice("attention", text)));
  byId("self-video").hidden = !local.video;
  byId("self-video").srcObject = local.video ? new MediaStream([local.video]) : null;
  byId("self-empty").textContent = chosen("video") && found.problems.length ? t("join.no_picture") : t("join.camera_is_off");
  stopLevel = local.audio ? watchLevel(local.audio, (level) => { byId("level").value = level; }) : () => {};
  return found;
}

function closeLocal() {
  stopLevel();
  for (const kind of ["audio", "video"]) {
    local[kind]?.stop();
    local[kind] = null;
  }
}

async function join(event) {
  event.preventDefault();
  const name = byId("name").value.trim();
  if (!name) {
    fail("join-problem", t("join.name_missing"), "attention");
    byId("name").focus();
    return;
  }
  byId("join").disabled = true;
  fail("join-problem", "");
  const language = document.querySelector("input[name=language]:checked")?.value ?? page.language;
  remember({ name, language });
  try {
    if (!byId("try").hidden) await preview();
    const parts = await sessionParts();
    const seat = remembered.seat_key ? await again() : await api("POST", "/api/join", { code: remembered.code, display_name: name, language }, DOOR());
    delete remembered.code;
    remember({ seat_key: seat.seat_key ?? remembered.seat_key, left: false });
    enter(seat, parts);
  } catch (error) {
    fail("join-problem", error.message);
  } finally {
    byId("join").disabled = false;
  }
}

const again = () => api("POST", "/api/join/again", { seat_key: remembered.seat_key }, { not_found: t("over.token") });

// ---- in the session --------------------------------------------------------------------------------------------------

/** A token that is good now: the one just given, later a fresh one for the same seat. */
function tokens(first) {
  let fresh = first.token;
  const givenAt = Date.now();
  return async () => {
    if (fresh && Date.now() - givenAt < TOKEN_GOOD_MS) {
      const token = fresh;
      fresh = null;
      return token;
    }
    try {
      const seat = await again();
      if (seat.seat_key) remember({ seat_key: seat.seat_key });
      return seat.token;
    } catch (error) {
      error.final = error.status >= 400 && error.status < 500 && error.status !== 429;
      throw error;
    }
  };
}

function enter(seat, { Call, Signaling, Stage, watchPictures }) {
  stopLevel();
  show("session");
  byId("session-title").textContent = seat.title ?? remembered.title ?? "";
  const url = new URL(seat.signaling ?? "/signal", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const signaling = new Signaling({ url: url.href, token: tokens(seat), info: { name: "browser", version: page.version ?? "" } });
  const call = new Call(signaling);
  const stage = new Stage();
  stage.listen(signaling);
  stage.showSelf(local.video, remembered.name ?? "");
  tellState(signaling, call, stage);
  watchPictures(signaling, call, stage);
  wireControls(signaling, call, stage);
  for (const kind of ["audio", "video"]) watchEnd(kind, call, stage);
  keepAwake();
  call.start(local);
  signaling.start();
  // For support and tests: what stands, and a pulled plug.
  window.shimawa = Object.freeze({
    connections: () => call.connections,
    link: () => signaling.isOpen,
    me: () => ({ peer_id: signaling.welcome?.peer_id, generations: call.generations }),
    cut: () => signaling.cut(),
  });
  addEventListener("pagehide", () => call.stop(), { once: true });
}

const OVER = () => ({
  session_over: t("over.session"),
  session_ended: t("over.session"),
  removed: t("over.removed"),
  replaced: t("over.replaced"),
  left: t("over.left"),
  bad_token: t("over.token"),
  expired_token: t("over.token"),
  unknown_session: t("over.token"),
  unsupported_version: t("over.version"),
});

function tellState(signaling, call, stage) {
  let joinedOnce = false;
  signaling.on("joined", () => { joinedOnce = true; });
  signaling.on("link", ({ state, code }) => {
    if (state === "open") {
      stage.showLink(true, t("line.up"));
      stage.say("link", null);
    } else if (state === "over") {
      over(code, call);
    } else {
      stage.showLink(false, joinedOnce ? t("line.down") : t("line.connecting"));
      if (state === "waiting") stage.say("link", ["attention", joinedOnce ? t("line.down_long") : t("line.not_yet")]);
    }
  });
  call.on("up", () => stage.say("media", null));
  call.on("down", () => stage.say("media", ["attention", t("call.media_again")]));
  call.on("trouble", ({ code }) => {
    if (code === "no_media") stage.say("media", ["attention", t("call.no_media")]);
    else if (code !== "lost") stage.say("media", ["attention", t("call.media_again")]);
  });
  call.on("media", (media) => stage.play(media));
}

function over(code, call) {
  call.stop();
  closeLocal();
  remember({ left: true });
  show("over");
  byId("over-text").textContent = OVER()[code] ?? t("over.failed");
  byId("over-code").textContent = OVER()[code] ? "" : code;
  byId("over-again").hidden = ["session_over", "session_ended", "removed", "bad_token", "unknown_session"].includes(code);
  byId("over-heading").focus();
}

function wireControls(signaling, call, stage) {
  on.audio = Boolean(local.audio) && remembered.audio !== false;
  on.video = Boolean(local.video);
  const controls = { audio: byId("toggle-mic"), video: byId("toggle-camera") };
  const names = { audio: ["mic", "mic-off"], video: ["camera", "camera-off"] };
  draw = () => {
    for (const kind of ["audio", "video"]) {
      controls[kind].setAttribute("aria-pressed", String(on[kind]));
      controls[kind].querySelector("svg").replaceWith(icon(names[kind][on[kind] ? 0 : 1]));
    }
    byId("mic-word").textContent = on.audio ? t("call.mic") : t("call.mic_is_off");
    byId("camera-word").textContent = on.video ? t("call.camera") : t("call.camera_is_off");
  };
  controls.audio.onclick = async () => {
    if (!local.audio) await reopen("audio", call, stage);
    on.audio = Boolean(local.audio) && !on.audio;
    if (local.audio) local.audio.enabled = on.audio;
    call.setMuted("audio", !on.audio);
    remember({ audio: on.audio });
    draw();
  };
  controls.video.onclick = async () => {
    controls.video.disabled = true;
    if (on.video) {
      // The camera's own light goes out: the device is closed, not only covered.
      call.setMuted("video", true);
      await call.setTrack("video", null);
      local.video?.stop();
      local.video = null;
      on.video = false;
    } else {
      await reopen("video", call, stage);
      on.video = Boolean(local.video);
      call.setMuted("video", !on.video);
    }
    remember({ video: on.video });
    stage.showSelf(local.video, remembered.name ?? "");
    controls.video.disabled = false;
    draw();
  };
  if (local.audio) local.audio.enabled = on.audio;
  call.setMuted("audio", !on.audio);
  wireWords(signaling, stage);
  draw();
}

/** A device that is pulled out while in use. */
function watchEnd(kind, call, stage) {
  const track = local[kind];
  if (!track) return;
  track.onended = () => {
    if (local[kind] !== track) return;
    local[kind] = null;
    on[kind] = false;
    call.setMuted(kind, true);
    call.setTrack(kind, null);
    stage.say("device", ["attention", kind === "audio" ? t("devices.mic_missing") : t("devices.camera_missing")]);
    if (kind === "video") stage.showSelf(null, remembered.name ?? "");
    draw();
  };
}

/** A phone must not fall asleep in a conversation. */
function keepAwake() {
  const ask = () => { if (!document.hidden) navigator.wakeLock?.request("screen").catch(() => {}); };
  document.addEventListener("visibilitychange", ask);
  ask();
}

async function reopen(kind, call, stage) {
  const wish = chosen(kind) ?? { deviceId: "" };
  const found = await openDevices({ [kind]: wish });
  local[kind] = found[kind];
  on[kind] = false;
  watchEnd(kind, call, stage);
  stage.say("device", found.problems.length ? ["attention", found.problems[0]] : null);
  if (found[kind]) await call.setTrack(kind, found[kind]);
}

function wireWords(signaling, stage) {
  const captions = byId("toggle-captions");
  captions.onclick = () => {
    const shown = captions.getAttribute("aria-pressed") !== "true";
    captions.setAttribute("aria-pressed", String(shown));
    stage.showCaptions(shown);
  };
  const hand = byId("raise-hand");
  const drawHand = () => {
    hand.setAttribute("aria-pressed", String(handUp));
    byId("hand-word").textContent = handUp ? t("call.hand_down") : t("call.hand");
  };
  // The hub's word counts: a seat given anew begins with its hand down.
  const follow = (peer) => {
    handUp = Boolean(peer?.hand_raised);
    drawHand();
  };
  signaling.on("joined", ({ welcome, resumed }) => { if (!resumed) follow(welcome.snapshot?.peers?.find((peer) => peer.peer_id === welcome.peer_id)); });
  signaling.on("peer.changed", ({ peer }) => { if (peer.peer_id === signaling.welcome?.peer_id) follow(peer); });
  hand.onclick = async () => {
    const wish = !handUp;
    try {
      await signaling.request("hand.raise", { raised: wish });
      handUp = wish;
    } catch (error) {
      if (error.code === "not_permitted") stage.say("hand", ["plain", t("call.not_permitted")]);
    }
    drawHand();
  };
  wireRecord(signaling, stage);
  byId("leave").onclick = () => signaling.leave("left");
}

/** Everybody who may speak may stop the record; a facilitator lets it go on. What is shown is what the hub says. */
function wireRecord(signaling, stage) {
  const button = byId("toggle-record");
  let off = false;
  const draw = ({ state = "planned", record = "on" }) => {
    off = record === "off";
    const may = signaling.welcome?.permissions?.includes("record.set") && (!off || signaling.welcome.role === "facilitator");
    button.hidden = state !== "live" || !may;
    button.textContent = off ? t("record.go_on") : t("record.stop");
    stage.say("off", state === "live" && off ? ["fault", t("record.off_long"), may ? "" : ` ${t("record.goes_on_by")}`] : null);
  };
  signaling.on("joined", ({ welcome }) => { if (welcome.snapshot) draw(welcome.snapshot); });
  signaling.on("admitted", ({ permissions, role, snapshot }) => {
    Object.assign(signaling.welcome ?? {}, { permissions, role });
    draw(snapshot);
  });
  signaling.on("session.changed", draw);
  button.onclick = async () => {
    button.disabled = true;
    await signaling.request("record.set", { on: off }).catch((error) => stage.say("record-switch", ["attention", error.message]));
    button.disabled = false;
  };
}

// ---- begin -------------------------------------------------------------------------------------------------------------

async function rejoin() {
  show("wait");
  try {
    const parts = await sessionParts();
    const seat = await again();
    remember({ seat_key: seat.seat_key ?? remembered.seat_key, left: false });
    const wanted = await openDevices({ audio: { deviceId: "" }, video: remembered.video === false ? null : { deviceId: "" } });
    Object.assign(local, { audio: wanted.audio, video: wanted.video });
    enter(seat, parts);
  } catch (error) {
    show("over");
    byId("over-text").textContent = error.message;
    byId("over-again").hidden = error.status !== 0 && error.status < 500;
  }
}

byId("lobby-form").addEventListener("submit", join);
byId("try").addEventListener("click", preview);
byId("over-again").addEventListener("click", () => {
  remember({ left: false });
  location.reload();
});
for (const id of ["mic", "camera"]) byId(id).addEventListener("change", () => { if (byId("try").hidden) openLocal(); });
byId("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  remember({ code: byId("code").value.trim() });
  look();
});
addEventListener("hashchange", () => location.reload());

readCode();
if (remembered.code) look();
else if (remembered.seat_key && !remembered.left) rejoin();
else if (remembered.seat_key) showLobby({ title: remembered.title });
else show("code");
