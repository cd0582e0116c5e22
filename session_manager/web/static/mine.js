// My bookings: what comes next with what can be done now; what was; and what the hub knows about me.

import { api, byId, el, notice, page, t } from "./dom.js";
import { drawCalendar, drawLevels } from "./own_links.js";
import { card, dayOf, keepFresh, ME, refusal, span, whereOf } from "./own.js";

const AHEAD = new Set(["confirmed", "in_use", "offered", "requested", "waiting"]);
const OVER = {
  done: () => t("mine.done"),
  declined: () => t("mine.declined"),
  expired: () => t("mine.expired"),
  cancelled: () => t("mine.cancelled"),
  released: () => t("mine.released"),
};
const AFTER = {
  check_in: () => t("mine.after_check_in"),
  end: () => t("mine.after_end"),
  extend: () => t("mine.after_extend"),
  late: () => t("mine.after_late"),
  cancel: () => t("mine.after_cancel"),
  accept: () => t("mine.after_accept"),
  change: () => t("mine.after_change"),
  online: () => t("mine.after_online"),
  sailing: () => t("mine.after_sailing"),
};

const say = (place, weight, text) => byId(place).replaceChildren(...(text ? [notice(weight, text)] : []));

async function refresh() {
  draw(await api("GET", `${ME}/bookings`));
}

async function done(booking, deed) {
  say("problem", "", "");
  await refresh();
  say("said", "well", AFTER[deed]?.() ?? "");
}

function failed(error) {
  say("said", "", "");
  say("problem", "attention", refusal(error));
  byId("problem").scrollIntoView({ block: "nearest" });
}

function draw(found) {
  const now = Date.now() / 1000;
  const ahead = found.filter((one) => AHEAD.has(one.state) && one.ends_at > now - 60);
  const behind = found.filter((one) => !ahead.includes(one));
  byId("ahead").replaceChildren(...ahead.map((one) => el("li", {}, card(one, { done, failed, heading: "h2" }))));
  byId("nothing").hidden = ahead.length > 0;
  byId("past").hidden = behind.length === 0;
  byId("behind").replaceChildren(...behind.map((one) => el("li", {},
    el("div", {}, el("h3", {}, t("own.when", { day: dayOf(one.starts), span: span(one) })), el("p", { class: "quiet small" }, whereOf(one))),
    el("span", { class: "quiet" }, OVER[one.state]?.() ?? t("mine.done")))));
}

// ---- about me --------------------------------------------------------------------------------------------------------

let before = null;

function drawProfile(profile) {
  before = profile;
  byId("my-name").value = profile.name;
  byId("my-language").value = profile.language;
  byId("my-mail").value = profile.mail ?? "";
  byId("standing").textContent = profile.organisation ? t("mine.partner", { name: profile.organisation }) : "";
}

async function save(event) {
  event.preventDefault();
  const mail = byId("my-mail").value.trim();
  try {
    const changed = await api("PATCH", `${ME}/profile`, { name: byId("my-name").value.trim(), language: byId("my-language").value });
    const other = mail !== (before.mail ?? "");
    if (other) await api("PUT", `${ME}/profile/mail`, { mail });
    say("profile-said", "well", other && mail ? t("mine.mail_sent", { mail }) : t("mine.saved"));
    before = { ...changed, mail: mail ? before.mail : null };
  } catch (error) {
    say("profile-said", "attention", error.status === 422 ? t("mine.mail_wrong") : error.message);
  }
}

/** The link of the letter that checks an address leads here. */
async function openedLetter() {
  const code = new URLSearchParams(location.hash.slice(1)).get("mail");
  if (!code) return;
  history.replaceState(null, "", location.pathname);
  try {
    drawProfile(await api("POST", `${ME}/profile/mail/confirm`, { code }));
    say("profile-said", "well", t("mine.mail_done"));
  } catch {
    say("profile-said", "attention", t("mine.mail_old"));
  }
  byId("profile").scrollIntoView();
}

async function about() {
  if (!page.person_id) {
    byId("profile").hidden = true; // an office account is nobody in particular
    return;
  }
  drawProfile(await api("GET", `${ME}/profile`));
  await openedLetter();
  await Promise.all([drawLevels(), drawCalendar()]);
}

byId("profile-form").addEventListener("submit", save);
keepFresh(refresh, 20_000);
refresh().catch((error) => say("problem", "fault", error.message));
about().catch((error) => say("profile-said", "fault", error.message));
