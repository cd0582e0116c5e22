// On my bookings: the address of my calendar, and where I and my house stand on the ladder.

import { api, ask, byId, clock, el, notice, page, t } from "./dom.js";
import { shownOnce } from "./secret.js";

const TOWN = `/api/municipalities/${page.municipality_id}`;
const day = (seconds) => clock(seconds, { year: "numeric", month: "long", day: "numeric" });
const heading = (id, text) => el("h2", { id }, text);

function button(place, text, work, weight = "") {
  const press = async ({ currentTarget }) => {
    currentTarget.disabled = true;
    await work().catch((error) => place.append(notice("attention", error.message)));
    currentTarget.disabled = false;
  };
  return el("button", { type: "button", class: weight, onclick: press }, text);
}

// ---- my calendar -----------------------------------------------------------------------------------------------------

export async function drawCalendar() {
  const place = byId("calendar");
  const mine = `${TOWN}/people/${page.person_id}/feeds`;
  const found = await api("GET", mine);
  const shown = el("div", { class: "stack lead", role: "status" });
  const stop = () => Promise.all(found.map((one) => api("DELETE", `${mine}/${one.feed_id}`)));
  const give = async () => {
    const made = await api("POST", mine);
    await stop();
    await drawCalendar();
    byId("calendar").querySelector("[role=status]").replaceChildren(...shownOnce(t("own.feed_once"), made.address));
  };
  const renew = async () => await ask(t("own.feed_ask"), t("own.feed_keep"), t("own.feed_new")) && give();
  const end = async () => await ask(t("own.feed_end_ask"), t("own.feed_keep"), t("own.feed_end")) && stop().then(drawCalendar);
  place.hidden = false;
  place.replaceChildren(heading("calendar-heading", t("own.feed")),
    el("p", { class: "quiet" }, found.length ? t("own.feed_since", { day: day(found.at(-1).created_at) }) : t("own.feed_said")),
    shown,
    el("p", { class: "pair lead" }, found.length ? button(place, t("own.feed_new"), renew) : button(place, t("own.feed_give"), give), found.length ? button(place, t("own.feed_end"), end, "plain") : null));
}

// ---- where I stand ---------------------------------------------------------------------------------------------------

function proposed(place, { ladder, step }) {
  const next = ladder.find(({ position }) => position === step.to_level)?.name ?? "";
  if (step.party_at) return [notice("plain", t("own.level_waits", { next }))];
  const agree = () => api("POST", `${TOWN}/steps/${step.step_id}/confirm`, { side: "party" }).then(drawLevels);
  return [
    notice("attention", step.evidence ? t("own.level_asks_because", { next, why: step.evidence }) : t("own.level_asks", { next })),
    el("p", { class: "lead" }, button(place, t("own.level_yes", { next }), agree, "wide")),
  ];
}

export async function drawLevels() {
  const place = byId("levels");
  const found = (await api("GET", `${TOWN}/me/levels`)).filter(({ ladder, level, step }) => ladder.length && (level || step));
  place.hidden = found.length === 0;
  place.replaceChildren(heading("levels-heading", t("own.levels")), ...found.flatMap((one) => {
    const here = one.ladder.find(({ position }) => position === one.level)?.name;
    const said = here ? t("own.level_at", { name: here, n: one.level, all: one.ladder.length }) : t("own.level_none");
    return [el("p", { class: "lead" }, one.organisation ? el("strong", {}, `${one.organisation}　`) : null, said), ...(one.step ? proposed(place, one) : [])];
  }));
}
