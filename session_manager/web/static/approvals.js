// What waits for the office's word: rivals side by side, what a yes would displace, how long there is time. One tap
// approves; declining says why.

import { declineReasons, reason } from "./detail.js";
import { kindName, modeName } from "./booking.js";
import { api, byId, clock, el, notice, page, t } from "./dom.js";
import { said, why } from "./sentences.js";
import { dayName, span } from "./wall.js";

const POLL_MS = 20_000;
const HERE = `/api/municipalities/${page.municipality_id}`;
const DAY_S = 86_400;
let places = new Map();
let last = "";

const times = (wall) => t("booking.when", { day: dayName(wall.starts), span: span(wall.starts, wall.ends) });
const nameOf = (place_id) => places.get(place_id) ?? t("booking.another_room");

/** Those that want the same stand together, in the order of their start. */
function groups(asked) {
  const open = new Map(asked.map((one) => [one.booking.booking_id, one]));
  const found = [];
  for (const one of asked) {
    if (!open.has(one.booking.booking_id)) continue;
    const group = [];
    const take = (id) => {
      const next = open.get(id);
      if (!next) return;
      open.delete(id);
      group.push(next);
      next.rivals.forEach(take);
    };
    take(one.booking.booking_id);
    found.push(group);
  }
  return found;
}

function deadline({ booking }) {
  if (!booking.expires_at) return null;
  const left = booking.expires_at - Date.now() / 1000;
  const text = t("approvals.until", { when: clock(booking.expires_at, { month: "long", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit" }) });
  return el("p", { class: "small mark" }, el("span", { class: `dot ${left < DAY_S ? "attention" : ""}`, "aria-hidden": "true" }), left < DAY_S ? t("approvals.soon", { text }) : text);
}

function card(one, titles) {
  const { booking } = one;
  const who = one.holder_name || (booking.holder === "office" ? t("detail.office") : "");
  const facts = [kindName(booking.kind), modeName(booking.mode), t("approvals.people", { n: booking.people }), booking.yen ? t("booking.yen", { n: booking.yen.toLocaleString() }) : ""].filter(Boolean).join(t("approvals.dot"));
  const taken = one.taken.length > 0;
  const problem = el("div", { role: "alert" });
  const approve = el("button", { type: "button", class: "primary", disabled: taken, onclick: (event) => decide(event.currentTarget, problem, booking, "approve") }, t("detail.approve"));
  const decline = el("button", { type: "button", onclick: (event) => refuse(event.currentTarget, problem, booking) }, t("detail.decline"));
  return el("article", { class: "asked", "data-booking": booking.booking_id, "aria-label": booking.title },
    el("h3", {}, booking.title),
    one.change ? el("p", { class: "small" }, el("b", {}, t("approvals.change")), " ", el("span", { class: "quiet" }, t("approvals.now", { when: times(booking) }))) : null,
    el("p", { class: "figures" }, times(one.time)),
    el("p", {}, one.place_ids.map(nameOf).join(t("booking.and"))),
    el("p", { class: "quiet small" }, [who, facts].filter(Boolean).join(t("approvals.dot"))),
    deadline(one),
    taken ? notice("attention", t("approvals.taken", { places: one.taken.map(nameOf).join(t("booking.and")) })) : null,
    one.displaces.length && !taken ? el("p", { class: "small" }, t("approvals.displaces", { titles: one.displaces.map((id) => t("approvals.quoted", { title: titles.get(id) ?? "" })).join("") })) : null,
    problem,
    el("div", { class: "answers" }, approve, decline));
}

async function decide(button, problem, booking, what, body) {
  button.disabled = true;
  try {
    await api("POST", `${HERE}/bookings/${booking.booking_id}/${what}`, body);
    const values = { title: booking.title };
    byId("sentences").replaceChildren(notice("well", what === "approve" ? t("approvals.approved", values) : t("approvals.declined", values)));
    await refresh();
  } catch (error) {
    if (error.status === 401) location.assign("/login");
    const problems = error.answer?.quote?.problems;
    problem.replaceChildren(notice("attention", problems?.length ? problems.map(said).join(" ") : why(error)));
    button.disabled = false;
  }
}

async function refuse(button, problem, booking) {
  const given = await reason(t("detail.decline_ask", { title: booking.title }), declineReasons(), t("detail.decline"));
  if (given !== null) await decide(button, problem, booking, "decline", { reason: given });
}

/** Somebody whom a member vouched for. */
function joiner(one) {
  const problem = el("div", { role: "alert" });
  const decide = (accept) => async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      await api("POST", `${HERE}/groups/${one.group_id}/requests/${one.request_id}/decide`, { accept });
      byId("sentences").replaceChildren(notice("well", accept ? t("approvals.joined", { name: one.name, group: one.group_name }) : t("approvals.not_joined", { name: one.name })));
      await refresh();
    } catch (error) {
      problem.replaceChildren(notice("attention", why(error)));
      button.disabled = false;
    }
  };
  return el("article", { class: "asked", "aria-label": one.name }, el("h3", {}, one.name), el("p", {}, t("approvals.into", { group: one.group_name })),
    one.referrer_name ? el("p", { class: "quiet small" }, t("approvals.vouched", { name: one.referrer_name })) : null, one.message ? el("p", { class: "small" }, one.message) : null, problem,
    el("div", { class: "answers" }, el("button", { type: "button", class: "primary", onclick: decide(true) }, t("approvals.let_in")), el("button", { type: "button", onclick: decide(false) }, t("detail.decline"))));
}

function draw({ asked, over, names, joining }) {
  const titles = new Map(asked.map(({ booking }) => [booking.booking_id, booking.title]));
  byId("asked").replaceChildren(...groups(asked).map((group) => el("section", { class: "rivals" },
    group.length > 1 ? el("h2", {}, t("approvals.rivals", { n: group.length })) : null,
    el("div", { class: "side-by-side" }, ...group.map((one) => card(one, titles))))));
  byId("joining").replaceChildren(...(joining.length ? [el("section", { class: "rivals" }, el("h2", {}, t("approvals.joining")), el("div", { class: "side-by-side" }, ...joining.map(joiner)))] : []));
  byId("none").hidden = asked.length + joining.length > 0;
  byId("count").replaceChildren(asked.length + joining.length ? t("approvals.count", { n: asked.length + joining.length }) : "");
  byId("over").hidden = !over.length;
  byId("over-list").replaceChildren(...over.map((one) => el("li", {}, el("span", {}, el("b", {}, one.title), " ", names[one.holder] ?? ""), el("span", { class: "quiet small figures" }, times(one)))));
}

async function refresh() {
  try {
    const answer = await api("GET", `${HERE}/approvals`);
    const text = JSON.stringify(answer);
    byId("sentences").querySelector(".fault")?.remove();
    if (text === last) return;
    if ([...answer.asked].some((one) => one.place_ids.some((id) => !places.has(id)))) await load();
    last = text;
    draw(answer);
  } catch (error) {
    if (error.status === 401) location.assign("/login");
    byId("sentences").replaceChildren(notice("fault", error.message));
  }
}

async function load() {
  places = new Map((await api("GET", `${HERE}/places`)).map(({ place_id, name }) => [place_id, name]));
}

refresh();
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
setInterval(() => { if (!document.hidden && !document.querySelector("dialog[open]")) refresh(); }, POLL_MS);
