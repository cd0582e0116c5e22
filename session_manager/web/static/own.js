// One's own bookings, as both the front page and the list draw them: a card with what can be done now.

import { api, ask, el, icon, notice, page, t } from "./dom.js";
import { said } from "./sentences.js";

export const ME = `/api/municipalities/${page.municipality_id}/me`;
const at = (booking, deed = "") => `${ME}/bookings/${booking.booking_id}${deed}`;

const asUtc = (wall) => new Date(`${wall.slice(0, 16)}Z`);
const formats = new Map();
function utc(wall, options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(page.language, { ...options, timeZone: "UTC" }));
  return formats.get(key).format(asUtc(wall));
}

/** Local text like 2026-06-01T10:00, as the facility's clock shows it. */
export const dayOf = (wall) => utc(wall.length > 10 ? wall : `${wall}T00:00`, { month: "long", day: "numeric", weekday: "short" });
export const endOf = (wall) => (wall.slice(11, 16) === "00:00" ? "24:00" : wall.slice(11, 16));
export const span = ({ starts, ends }) => t("own.span", { from: starts.slice(11, 16), to: endOf(ends) });
export const yen = (amount) => t("own.yen", { n: amount.toLocaleString(page.language) });

/** The fee with the reason that people know: their agreement. */
export function fee(amount, userClass, organisation = "") {
  if (amount > 0 || userClass !== "partner") return yen(amount);
  return organisation ? t("own.partner_of", { yen: yen(amount), name: organisation }) : t("own.partner", { yen: yen(amount) });
}

export function whereOf(booking) {
  if (!booking.places.length) return t("own.online");
  const names = booking.places.map(({ name }) => name).join(t("own.and"));
  return t("own.where", { facility: booking.places[0].facility, names });
}

/** A refusal in the words of the page. */
export function refusal(error) {
  return error.answer?.quote?.problems?.map(said).join("") || error.message;
}

export const local = (instant, zone) => new Intl.DateTimeFormat(page.language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone }).format(new Date(instant * 1000));

const STATES = {
  requested: () => ["attention", t("own.requested")],
  waiting: () => ["attention", t("own.waiting")],
  in_use: () => ["well", t("own.in_use")],
};

function sentences(booking) {
  const found = [];
  const state = STATES[booking.state]?.();
  if (state) found.push(el("p", { class: "mark" }, el("span", { class: `dot ${state[0]}`, "aria-hidden": "true" }), state[1]));
  if (booking.state === "offered") found.push(notice("attention", t("own.offered", { until: local(booking.expires_at, booking.zone) })));
  if (booking.proposal) found.push(el("p", { class: "quiet" }, t("own.proposed", { day: dayOf(booking.proposal.time.starts), span: span(booking.proposal.time) })));
  if (booking.can.includes("check_in") && booking.release_at) found.push(el("p", { class: "quiet small" }, t("own.release", { until: local(booking.release_at, booking.zone) })));
  return found;
}

async function post(booking, deed, body) {
  return api("POST", at(booking, deed), body ?? {});
}

async function link(booking, place) {
  const made = await api("POST", at(booking, "/link"));
  place.replaceChildren(el("p", { class: "secret" }, made.link), el("a", { class: "button primary", href: made.link }, t("own.join")));
  return false;
}

const DEEDS = {
  accept: [true, () => t("own.accept"), (booking) => post(booking, "/accept")],
  check_in: [true, () => t("own.check_in"), (booking) => post(booking, "/check-in")],
  end: [true, () => t("own.end"), (booking) => post(booking, "/end")],
  extend: [false, () => t("own.extend"), (booking) => post(booking, "/extend", { minutes: 30 })],
  late: [false, () => t("own.late"), (booking) => post(booking, "/late", { minutes: 30 })],
  link: [false, () => t("own.link"), (booking, place) => link(booking, place)],
  change: [false, () => t("own.change"), async (booking) => (await import("./booking.js")).change(booking, new Map(booking.places.map((one) => [one.place_id, one.name])))],
  online: [false, () => t("own.go_online"), (booking) => api("PATCH", at(booking), { mode: "online" })],
  cancel: [false, () => t("own.cancel"), async (booking) => (await ask(t("own.cancel_ask", { day: dayOf(booking.starts), span: span(booking) }), t("own.cancel_no"), t("own.cancel_yes"))) && post(booking, "/cancel", { reason: "" })],
};

const BOATS = {
  tomorrow: () => t("own.boats_tomorrow"),
  remote: () => t("own.boats_remote"),
  release: () => t("own.boats_release"),
};

/** One tap each: the boat does not sail, and the person says what becomes of the booking. */
function boats(booking, act) {
  const { choices, answer } = booking.sailing;
  if (answer) return [el("p", { class: "quiet" }, t("own.boats_chosen", { choice: BOATS[answer]?.() ?? answer }))];
  return [notice("attention", t("own.boats")),
    el("div", { class: "deeds" }, ...choices.map((choice) => el("button", { type: "button", class: "wide", "data-choice": choice, onclick: (event) => act(event.currentTarget, () => post(booking, "/sailing", { choice })) }, BOATS[choice]?.() ?? choice)))];
}

/**
 * A booking with its deeds. `done(booking, deed)` is called after each, `failed(error)` when one was refused.
 */
export function card(booking, { done, failed, heading = "h3" }) {
  const place = el("div", { class: "stack" });
  async function act(button, work, deed) {
    button.disabled = true;
    try {
      const answer = await work();
      if (answer !== false && answer !== null) await done(booking, deed);
    } catch (error) {
      failed(error, booking);
    } finally {
      button.disabled = false;
    }
  }
  const asking = booking.sailing && !booking.sailing.answer;
  let first = true;
  const buttons = booking.can.filter((deed) => !(asking && ["late", "change", "online", "cancel"].includes(deed))).map((deed) => {
    const [primary, words, work] = DEEDS[deed];
    const big = primary && first && !asking;
    if (big) first = false;
    return el("button", { type: "button", class: big ? "primary" : deed === "cancel" ? "ends" : "", "data-deed": deed, onclick: (event) => act(event.currentTarget, () => work(booking, place), deed) }, words());
  });
  const running = booking.state === "in_use" ? " now" : asking || booking.state === "offered" ? " asks" : "";
  return el("div", { class: `card${running}`, "data-booking": booking.booking_id, "data-state": booking.state },
    el(heading, {}, t("own.when", { day: dayOf(booking.starts), span: span(booking) })),
    el("p", {}, whereOf(booking), el("span", { class: "quiet" }, `　${yen(booking.yen)}`)),
    ...sentences(booking),
    ...(booking.sailing ? boats(booking, (button, work) => act(button, work, "sailing")) : []),
    buttons.length ? el("div", { class: "deeds" }, ...buttons) : null,
    place,
    ["confirmed", "requested", "in_use"].includes(booking.state) ? el("a", { class: "button plain", href: at(booking, "/calendar.ics"), download: "shimawa.ics" }, icon("download"), t("own.calendar")) : null);
}

/** Draws again each minute and when the person comes back to the page. */
export function keepFresh(work, everyMs = 60_000) {
  let busy = false;
  const again = async () => {
    if (busy || document.hidden || document.querySelector("dialog[open]")) return;
    busy = true;
    try {
      await work();
    } catch {
      // said by whoever asked first; the next minute tries again
    } finally {
      busy = false;
    }
  };
  setInterval(again, everyMs);
  document.addEventListener("visibilitychange", again);
  return again;
}

