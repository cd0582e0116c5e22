// The signaling protocol (docs/protocol.md, version 1), and nothing of the page.
//
// One seat in one session, kept through every loss of the link. Commands get exactly one reply and are sent again with
// the same id after a resume; events come in order, each once; ephemerals come while they can.

const VERSION = 1;
const CONNECT_MS = 10_000;
const COMMAND_MS = 10_000;
const ACK_EVERY = 32;
const WAITS_MS = [[0, 0], [300, 1000], [500, 2000], [1000, 3000]];
const LASTING_MS = 10_000;
const UNANSWERED = 64;

/** A refused hello with one of these may come again; every other refusal is for good. */
const PASSING = new Set(["too_fast", "expired_token", "timed_out", "internal"]);

/** The hub's answer to a command that was not done, or that never came back (`timed_out`, `lost`). */
export class Refusal extends Error {
  constructor(code, message, retryAfterMs = null) {
    super(message);
    Object.assign(this, { code, retryAfterMs });
  }
}

/**
 * Milliseconds before attempt `attempt` after a loss: at once, then 0.3-1 s, 0.5-2 s, then 1-3 s. What the hub asked for
 * (`retryAfterMs`) takes the place of that, plus up to half of it so that a herd spreads.
 */
export function backOff(attempt, retryAfterMs = null, random = Math.random) {
  if (retryAfterMs !== null) return retryAfterMs * (1 + random() / 2);
  const [least, most] = WAITS_MS[Math.min(Math.max(attempt, 0), WAITS_MS.length - 1)];
  return least + (most - least) * random();
}

/**
 * Emits (`on`): `link` {state: connecting | open | waiting | over, code, message, retryInMs}; `joined` {welcome, resumed,
 * resync}; and every event and ephemeral by its type, with its body.
 */
export class Signaling {
  #url; #token; #info; #make; #random;
  #socket = null; #listeners = new Map(); #pending = new Map();
  #resume = null; #received = 0; #unacked = 0; #lastHeard = 0; #echo = null;
  #nextId = 0; #prefix; #attempt = 0; #timers = {}; #over = false; #open = false; #wake = null;

  /** `token` is asked before every connection and gives a promise of a join token that is good now. */
  constructor({ url, token, info, make = (address) => new WebSocket(address), random = Math.random }) {
    this.#url = url;
    this.#token = token;
    this.#info = info;
    this.#make = make;
    this.#random = random;
    this.#prefix = Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  welcome = null;

  on(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(listener);
    return this;
  }

  get isOpen() { return this.#open; }

  start() {
    this.#wake = () => this.hurry();
    globalThis.addEventListener?.("online", this.#wake);
    this.#connect();
  }

  /** The network is said to be back: try now, instead of after the back-off or a connection attempt that hangs. */
  hurry() {
    if (this.#over || this.#open) return;
    if (this.#socket) this.#drop();
    else if (!this.#timers.retry) return;
    this.#attempt = 0;
    clearTimeout(this.#timers.retry);
    this.#timers.retry = null;
    this.#connect();
  }

  /** As if the line had broken: close without a word, and come back by resume. */
  cut() {
    if (this.#socket) this.#lose(this.#socket, "cut");
  }

  /** Send a command; resolves with the body of its reply, rejects with a Refusal. */
  request(type, body, timeoutMs = COMMAND_MS) {
    if (this.#over) return Promise.reject(new Refusal("lost", "the connection is over"));
    if (this.#pending.size >= UNANSWERED) return Promise.reject(new Refusal("too_fast", "too many commands wait for their reply"));
    const id = `${this.#prefix}-${++this.#nextId}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id, null, new Refusal("timed_out", "no reply came in time")), timeoutMs);
      this.#pending.set(id, { message: { t: type, id, b: body }, resolve, reject, timer });
      if (this.#open) this.#send({ t: type, id, b: body });
    });
  }

  /** Give the seat up. Waits a moment for the hub to hear it. */
  async leave(reason = "") {
    if (this.#open) await this.request("leave", { reason }, 1500).catch(() => {});
    this.#finish("left", "");
  }

  // ---- connection ----

  async #connect() {
    this.#tell("link", { state: "connecting" });
    let token;
    try {
      token = await this.#token();
    } catch (error) {
      if (error.final) this.#finish(error.code ?? "bad_token", error.message);
      else this.#retry(error.code ?? "offline", error.message, null);
      return;
    }
    if (this.#over) return;
    let socket;
    try {
      socket = this.#make(this.#url);
    } catch (error) {
      this.#retry("offline", String(error.message ?? error), null);
      return;
    }
    this.#socket = socket;
    this.#timers.connect = setTimeout(() => this.#lose(socket), CONNECT_MS);
    socket.onopen = () => this.#hello(token);
    socket.onmessage = (event) => this.#hear(socket, event.data);
    socket.onclose = () => this.#lose(socket);
    socket.onerror = () => {};
  }

  #hello(token) {
    const body = { versions: [VERSION], features: [], token, client: this.#info };
    if (this.#resume) body.resume = { token: this.#resume, recv_seq: this.#received };
    this.helloId = `${this.#prefix}-${++this.#nextId}`;
    this.#send({ t: "hello", id: this.helloId, b: body });
  }

  #lose(socket, code = "lost", message = "", retryAfterMs = null) {
    if (socket !== this.#socket) return;
    this.#drop();
    this.#retry(code, message, retryAfterMs);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#open = false;
    for (const name of ["connect", "lasting"]) clearTimeout(this.#timers[name]);
    clearInterval(this.#timers.beat);
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
    try { socket.close(1000); } catch { /* was not open yet */ }
  }

  #retry(code, message, retryAfterMs) {
    if (this.#over || this.#timers.retry) return;
    const wait = backOff(this.#attempt++, retryAfterMs, this.#random);
    this.#tell("link", { state: "waiting", code, message, retryInMs: wait });
    this.#timers.retry = setTimeout(() => {
      this.#timers.retry = null;
      this.#connect();
    }, wait);
  }

  #finish(code, message) {
    if (this.#over) return;
    this.#over = true;
    this.#drop();
    clearTimeout(this.#timers.retry);
    globalThis.removeEventListener?.("online", this.#wake);
    for (const id of [...this.#pending.keys()]) this.#settle(id, null, new Refusal("lost", "the connection is over"));
    this.#tell("link", { state: "over", code, message });
  }

  // ---- what comes in ----

  #hear(socket, text) {
    if (socket !== this.#socket || typeof text !== "string") return;
    let message;
    try { message = JSON.parse(text); } catch { return; }
    if (typeof message?.t !== "string") return;
    this.#lastHeard = performance.now();
    if (Number.isFinite(message.ts)) this.#echo = message.ts;
    const body = message.b ?? {};
    if (message.re !== undefined && message.re !== null) this.#reply(message.re, message.t, body);
    else if (message.t === "dismissed") this.#dismissed(body);
    else if (Number.isInteger(message.seq)) this.#event(message.seq, message.t, body);
    else if (message.t !== "beat") this.#tell(message.t, body);
  }

  #event(seq, type, body) {
    if (seq <= this.#received) return;
    this.#received = seq;
    if (++this.#unacked >= ACK_EVERY) this.#beat();
    this.#tell(type, body);
  }

  #reply(id, type, body) {
    if (id === this.helloId) {
      this.helloId = null;
      if (type === "welcome") this.#welcomed(body);
      else this.#turnedAway(body);
    } else if (type === "refused") {
      this.#settle(id, null, new Refusal(body.code, body.message, body.retry_after_ms ?? null));
    } else {
      this.#settle(id, body, null);
    }
  }

  #settle(id, body, error) {
    const entry = this.#pending.get(id);
    if (!entry) return;
    this.#pending.delete(id);
    clearTimeout(entry.timer);
    if (error) entry.reject(error);
    else entry.resolve(body);
  }

  #welcomed(welcome) {
    clearTimeout(this.#timers.connect);
    this.#open = true;
    this.#timers.lasting = setTimeout(() => { this.#attempt = 0; }, LASTING_MS);
    this.#resume = welcome.resume_token;
    this.welcome = welcome;
    const resumed = Boolean(welcome.resumed);
    if (!resumed) {
      // A new peer: its numbering begins again, and commands of the old one have nobody to answer them.
      for (const id of [...this.#pending.keys()]) this.#settle(id, null, new Refusal("lost", "the seat was given anew"));
    }
    if (!resumed || welcome.resync) this.#received = (welcome.next_seq ?? 1) - 1;
    this.#startBeating(welcome.heartbeat_ms ?? 2000);
    this.#tell("link", { state: "open" });
    for (const { message } of this.#pending.values()) this.#send(message);
    this.#tell("joined", { welcome, resumed, resync: welcome.resync ?? null });
  }

  #turnedAway({ code, message, retry_after_ms: retryAfterMs }) {
    if (!PASSING.has(code)) {
      this.#finish(code, message ?? "");
      return;
    }
    // Neither token was good: the next hello brings a fresh one and no memory.
    if (code === "expired_token") this.#resume = null;
    this.#lose(this.#socket, code, message ?? "", retryAfterMs ?? null);
  }

  #dismissed({ action, code, message, retry_after_ms: retryAfterMs }) {
    if (action === "stop") {
      this.#finish(code ?? "removed", message ?? "");
      return;
    }
    if (action === "rejoin") this.#resume = null;
    this.#lose(this.#socket, code ?? "going_away", message ?? "", retryAfterMs ?? null);
  }

  // ---- what goes out ----

  #startBeating(everyMs) {
    clearInterval(this.#timers.beat);
    this.#lastHeard = performance.now();
    this.#timers.beat = setInterval(() => {
      if (performance.now() - this.#lastHeard > 3 * everyMs) this.#lose(this.#socket, "silent");
      else this.#beat();
    }, everyMs);
  }

  #beat() {
    this.#send({ t: "beat", b: { echo: this.#echo } });
  }

  #send(message) {
    if (this.#socket?.readyState !== 1) return;
    this.#unacked = 0;
    this.#socket.send(JSON.stringify({ ...message, ack: this.#received, ts: Math.round(performance.now()) }));
  }

  #tell(type, body) {
    for (const listener of this.#listeners.get(type) ?? []) listener(body);
  }
}
