// A day without boats: whom it concerns, one choice for all of them, and taking it back.

import { api, ask, byId, clock, el, t } from "./dom.js";

const MOST_NAMED = 40;
let known = { affected: [], sailing: null };

const hours = ({ starts, ends }) => `${starts.slice(11, 16)}–${ends.slice(11, 16)}`;

const DONE = {
  remote: () => t("today.did_remote"),
  ask: () => t("today.did_ask"),
  release: () => t("today.did_release"),
};
const ANSWERED = {
  tomorrow: () => t("today.chose_tomorrow"),
  remote: () => t("today.chose_remote"),
  release: () => t("today.chose_release"),
};
const BECAME = {
  back: () => t("today.became_back"),
  kept: () => t("today.became_kept"),
  own_choice: () => t("today.became_own"),
  taken: () => t("today.became_taken"),
  over: () => t("today.became_over"),
  changed: () => t("today.became_changed"),
};

export function drawBoats(now) {
  known = now;
  const stopped = now.sailing && !now.sailing.resumed_at;
  const n = now.affected.length;
  byId("boats-said").textContent = stopped
    ? t("today.stopped", { at: clock(now.sailing.stopped_at), n: now.sailing.bookings.length })
    : now.sailing ? t("today.resumed", { at: clock(now.sailing.resumed_at) }) : (n ? t("today.depend", { n }) : t("today.none_depend"));
  byId("stop").hidden = stopped ? openOnes().length === 0 : false;
  byId("stop").lastChild.textContent = stopped ? t("today.stop_more", { n: openOnes().length }) : t("today.stop");
  byId("resume").hidden = !stopped;
  const rows = now.sailing?.bookings ?? [];
  byId("boats-done").hidden = rows.length === 0;
  byId("boats-done").replaceChildren(...rows.map((one) => el("li", {},
    el("div", {}, el("p", {}, one.title), el("p", { class: "quiet small" }, became(one))),
    one.outcome === "taken" || one.outcome === "changed" ? el("a", { class: "button", href: "/week" }, t("today.see_week")) : null)));
}

function became(one) {
  if (one.outcome) return BECAME[one.outcome]();
  return one.answer ? ANSWERED[one.answer]() : DONE[one.choice]();
}

/** Those that another tap would still touch: not those who were only asked. */
function openOnes() {
  const done = new Set((known.sailing?.resumed_at ? [] : known.sailing?.bookings ?? []).filter(({ choice, answer }) => choice !== "ask" || answer).map(({ booking_id }) => booking_id));
  return known.affected.filter(({ booking_id }) => !done.has(booking_id));
}

/** The second tap is the choice. Resolves when it is done, or at once when nothing is to be done. */
export function openStop(here) {
  const touched = openOnes();
  return new Promise((resolve, reject) => {
    const choose = (choice) => () => dialog.close(choice);
    const option = (choice, text, said, primary) => el("button", { type: "button", class: primary ? "primary" : null, onclick: choose(choice) }, text, el("span", { class: "explains" }, said));
    const dialog = el("dialog", { "aria-labelledby": "boats-question", id: "boats-dialog" },
      el("p", { id: "boats-question" }, touched.length ? t("today.stop_ask", { n: touched.length }) : t("today.stop_none")),
      el("ul", { class: "affected small" }, ...touched.slice(0, MOST_NAMED).map((one) => el("li", {}, `${hours(one)} ${one.title}`, one.stays ? el("span", { class: "quiet" }, ` ${t("today.stays")}`) : null))),
      el("div", { class: "answers" },
        option("remote", t("today.choose_remote"), t("today.choose_remote_said"), true),
        option("ask", t("today.choose_ask"), t("today.choose_ask_said")),
        option("release", t("today.choose_release"), t("today.choose_release_said")),
        el("button", { type: "button", class: "plain", autofocus: true, onclick: () => dialog.close("") }, t("today.choose_none"))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      const choice = dialog.returnValue;
      (choice ? api("POST", `${here}/sailing/stop`, { choice }) : Promise.resolve()).then(resolve, reject);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export async function resume(here) {
  if (!await ask(t("today.resume_ask"), t("today.resume_no"), t("today.resume_yes"))) return;
  await api("POST", `${here}/sailing/resume`);
}
