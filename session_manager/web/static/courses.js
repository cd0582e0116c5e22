// Courses and circles: what one can apply for, how places are given, where one stands, and giving a place up.

import { api, ask, byId, el, notice, page, t } from "./dom.js";
import { dayOf, localOf, spanOf, timeOf } from "./dates.js";

const TOWN = `/api/municipalities/${page.municipality_id}`;
const GIVEN_UP = new Set([null, "declined", "withdrawn"]);
const LISTED = 3;

const say = (place, weight, text) => byId(place).replaceChildren(...(text ? [notice(weight, text)] : []));
const until = (course) => {
  const local = localOf(course.open_until);
  return t("courses.moment", { day: dayOf(local), time: timeOf(local) });
};

// ---- what it is ------------------------------------------------------------------------------------------------------

const MODES = { in_person: () => t("courses.in_person"), online: () => t("courses.online"), hybrid: () => t("courses.hybrid") };
const one = (values) => (new Set(values).size === 1 ? values[0] : null);

/** What all dates share stands once, below them. */
function when(course) {
  const { dates } = course;
  const shared = { where: one(dates.map((date) => date.where)), mode: one(dates.map((date) => date.mode)) };
  const row = (date) => el("li", {}, spanOf(date.starts, date.ends),
    shared.mode === null ? el("span", { class: "quiet" }, `　${MODES[date.mode]()}`) : null,
    shared.where === null && date.where ? el("span", { class: "quiet" }, `　${date.where}`) : null);
  const rows = dates.map(row);
  const more = rows.splice(LISTED);
  return [
    el("ol", { class: "dates" }, ...rows),
    more.length ? el("details", {}, el("summary", { class: "button plain" }, t("courses.more", { n: more.length })), el("ol", { class: "dates" }, ...more)) : null,
    shared.where || shared.mode ? el("p", {}, [shared.where, shared.mode && MODES[shared.mode]()].filter(Boolean).join(t("courses.and"))) : null,
  ];
}

const HOW = {
  order: (course) => (course.left ? t("courses.by_order") : t("courses.by_order_full")),
  lot: (course) => t("courses.by_lot", { until: until(course) }),
  hand: (course) => t("courses.by_hand", { until: until(course) }),
};

function places(course) {
  if (course.mine === "applied" && course.open) return HOW[course.selection](course);
  if (!course.open || !GIVEN_UP.has(course.mine)) return t("courses.places", { n: course.capacity });
  const free = course.left ? t("courses.left", { n: course.left, all: course.capacity }) : t("courses.full", { all: course.capacity });
  return t("courses.until", { free, until: until(course) });
}

// ---- where I stand ---------------------------------------------------------------------------------------------------

const STATES = {
  applied: (course) => ["attention", course.selection === "lot" ? t("courses.applied_lot") : t("courses.applied_hand")],
  placed: () => ["well", t("courses.placed")],
  waiting: (course) => ["attention", course.turn ? t("courses.waiting_nth", { n: course.turn }) : t("courses.waiting")],
  member: () => ["well", t("courses.member")],
  declined: () => ["", t("courses.declined")],
  withdrawn: () => ["", t("courses.withdrawn")],
};
const LEAVE = {
  placed: [() => t("courses.leave"), () => t("courses.leave_ask"), () => t("courses.leave_yes")],
  applied: [() => t("courses.withdraw"), () => t("courses.withdraw_ask"), () => t("courses.withdraw_yes")],
  waiting: [() => t("courses.withdraw"), () => t("courses.withdraw_ask"), () => t("courses.withdraw_yes")],
};
const AFTER = {
  applied: () => t("courses.after_applied"),
  placed: () => t("courses.after_placed"),
  waiting: () => t("courses.after_waiting"),
  declined: () => t("courses.after_leave"),
  withdrawn: () => t("courses.after_withdraw"),
};

function standing(course) {
  const [weight, words] = STATES[course.mine]?.(course) ?? [];
  if (!words) return null;
  return el("p", { class: "state" }, el("span", { class: `dot ${weight}`, "aria-hidden": "true" }), words);
}

function deed(course) {
  if (!page.person_id) return null;
  if (course.open && GIVEN_UP.has(course.mine)) {
    return el("button", { type: "button", class: "wide", "data-deed": "apply", onclick: () => confirm(course) }, t("courses.apply"));
  }
  const leave = LEAVE[course.mine];
  return leave ? el("button", { type: "button", class: "ends", "data-deed": "give-up", onclick: () => giveUp(course, leave) }, leave[0]()) : null;
}

function card(course) {
  const asks = course.mine === "waiting" || course.mine === "applied" ? " asks" : course.mine === "placed" || course.mine === "member" ? " now" : "";
  const button = deed(course);
  return el("li", { class: `card${asks}`, "data-series": course.series_id, "data-mine": course.mine ?? "" },
    el("h3", {}, course.title), standing(course), ...when(course), el("p", { class: "quiet" }, places(course)),
    button ? el("div", { class: "deeds" }, button) : null);
}

// ---- deeds -----------------------------------------------------------------------------------------------------------

async function post(course, path) {
  const made = await api("POST", `${TOWN}/series/${course.series_id}/${path}`, undefined, { not_possible: t("courses.closed") });
  say("problem", "", "");
  say("said", "well", AFTER[made.state]());
  await refresh();
  byId("said").scrollIntoView({ block: "nearest" });
}

function failed(error) {
  say("said", "", "");
  say("problem", "attention", error.message);
  byId("problem").scrollIntoView({ block: "nearest" });
}

async function giveUp(course, [, question, yes]) {
  if (!(await ask(t("courses.of", { title: course.title, question: question() }), t("courses.stay"), yes()))) return;
  await post(course, "give-up").catch(failed);
}

/** Says what follows before anything is sent. */
function confirm(course) {
  const yes = el("button", { type: "button", class: "primary large", onclick: send }, t("courses.apply_yes"));
  const dialog = el("dialog", { class: "confirm stack", "aria-labelledby": "confirm-heading" },
    el("h2", { id: "confirm-heading" }, course.title),
    ...when(course).slice(0, 1),
    course.dates.length > 1 ? el("p", {}, t("courses.all_dates", { n: course.dates.length })) : null,
    el("p", {}, HOW[course.selection](course)),
    el("p", { class: "small quiet" }, t("courses.letters")),
    el("div", { class: "answers" }, yes, el("button", { type: "button", onclick: () => dialog.close() }, t("courses.no"))));
  async function send() {
    yes.disabled = true;
    try {
      await post(course, "apply");
    } catch (error) {
      failed(error);
    }
    dialog.close();
  }
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  yes.focus();
}

// ---- the page --------------------------------------------------------------------------------------------------------

async function refresh() {
  const found = await api("GET", `${TOWN}/me/courses`);
  const mine = found.filter((course) => !GIVEN_UP.has(course.mine));
  const open = found.filter((course) => GIVEN_UP.has(course.mine) && course.open);
  byId("my-courses").replaceChildren(...mine.map(card));
  byId("open-courses").replaceChildren(...open.map(card));
  byId("mine").hidden = mine.length === 0;
  byId("open").hidden = open.length === 0;
  byId("nothing").hidden = open.length > 0;
}

setInterval(() => document.hidden || document.querySelector("dialog[open]") || refresh().catch(() => {}), 60_000);
refresh().catch((error) => say("problem", "fault", error.message));
