// Addresses of calendars that belong to the house: one for each room, one of what anybody may follow.

import { ask, clock, el, t } from "./dom.js";
import { shownOnce } from "./secret.js";

const day = (seconds) => clock(seconds, { year: "numeric", month: "long", day: "numeric" });

export async function drawCalendars({ api, here, doing }) {
  const [feeds, places] = await Promise.all([api("GET", `${here}/feeds`), api("GET", `${here}/places`)]);
  const rooms = places.filter(({ kind }) => kind === "room");
  const names = new Map(rooms.map((room) => [room.place_id, room.name]));
  const shown = el("div", { class: "stack lead", role: "status" });
  const choice = el("select", { id: "feed-of" }, ...rooms.map((room) => el("option", { value: room.place_id }, room.name)), el("option", { value: "" }, t("setup.feed_public")));
  const give = async () => {
    const made = await api("POST", choice.value ? `${here}/rooms/${choice.value}/feeds` : `${here}/feeds`);
    const drawn = await drawCalendars({ api, here, doing });
    shown.parentElement.replaceChildren(...drawn);
    drawn.find((one) => one.getAttribute("role") === "status").replaceChildren(...shownOnce(t("setup.feed_once"), made.address));
    return false;
  };
  const end = async (one) => await ask(t("setup.feed_ask"), t("setup.keep"), t("setup.feed_end")) && api("DELETE", `${here}/feeds/${one.feed_id}`);
  return [
    el("p", { class: "lead" }, t("setup.calendars_said")),
    el("div", { class: "pair lead" }, el("label", { for: "feed-of" }, t("setup.feed_of")), choice, el("button", { type: "button", onclick: () => doing(give) }, t("setup.feed_give"))),
    shown,
    feeds.length ? el("ul", { class: "list", id: "feeds" }, ...feeds.map((one) => el("li", {},
      el("div", {}, el("h3", {}, one.kind === "public" ? t("setup.feed_public") : names.get(one.subject_id) ?? t("setup.feed_gone")), el("p", { class: "quiet small" }, t("setup.feed_since", { day: day(one.created_at) }))),
      el("button", { type: "button", class: "plain", onclick: () => doing(() => end(one)) }, t("setup.feed_end"))))) : el("p", { class: "quiet lead" }, t("setup.no_feeds")),
  ];
}
