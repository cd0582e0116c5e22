// A phone that looked at the code on a door: check in as oneself, or by touching one's initials. The code is good for
// about two minutes and stays behind `#`.

import { api, byId, clock, el, icon, notice, page, t } from "./dom.js";

const code = location.hash.slice(1);
history.replaceState(null, "", "/check-in");

const words = { not_found: t("check_in.over"), not_possible: t("check_in.not_now"), too_fast: t("refused.too_fast") };
const say = (weight, text) => byId("said").replaceChildren(notice(weight, text));

async function touch(booking, person) {
  const body = { code, ...(booking ? { booking_id: booking.booking_id } : {}), ...(person ? { person_id: person.person_id } : {}) };
  try {
    const done = await api("POST", "/api/check-in", body, words);
    byId("bookings").replaceChildren();
    say("well", t("check_in.done", { room: done.room, from: clock(done.starts_at), until: clock(done.ends_at) }));
  } catch (problem) {
    say("attention", problem.message);
  }
}

function row(booking, look) {
  const came = booking.state === "in_use";
  const mine = look.mine.includes(booking.booking_id);
  const buttons = booking.expected.map((one) => el("button", { type: "button", onclick: () => touch(booking, one) }, one.initials));
  const plain = el("button", { type: "button", class: mine || !buttons.length ? "primary large" : "", onclick: () => touch(mine ? null : booking, null) }, icon("check"), mine ? t("check_in.me") : buttons.length ? t("check_in.somebody") : t("check_in.here"));
  return el("section", { class: "stack" },
    el("h2", {}, `${clock(booking.starts_at)} – ${clock(booking.ends_at)} `, booking.title ?? t("check_in.taken")),
    came ? notice("well", t("check_in.came")) : mine ? plain : el("div", { class: "choices" }, ...buttons, plain));
}

async function begin() {
  if (!code) return say("attention", t("check_in.no_code"));
  try {
    const look = await api("POST", "/api/check-in/look", { code }, words);
    page.timezone = look.timezone;
    byId("room").textContent = look.room;
    byId("facility").textContent = look.facility;
    if (!look.bookings.length) say("plain", t("check_in.nothing"));
    byId("bookings").replaceChildren(...look.bookings.map((one) => row(one, look)));
  } catch (problem) {
    say("attention", problem.message);
  }
}

begin();
