// A teacher's day: lessons, whether everything is ready, begin, who is missing, end. And, for the office, the timetable.

import { api, ask, byId, clock, el, icon, notice, page, t } from "./dom.js";
import { readiness } from "./panel_lesson.js";

const LOOK_MS = 10_000;
const home = `/api/municipalities/${page.municipality_id}`;
const say = (weight, text) => byId("said").replaceChildren(notice(weight, text));

async function act(work, done) {
  try {
    await work();
    if (done) say("well", done);
  } catch (problem) {
    say("attention", problem.message);
  }
  await show();
}

function tally(one) {
  const [, , ...rest] = [t("class.face_1"), t("class.face_2"), t("class.face_3")];
  const names = [t("class.question_1"), t("class.question_2"), t("class.question_3")];
  return el("ul", { class: "small quiet" }, ...one.sheet.map((counts, place) =>
    el("li", {}, `${names[place]} ${t("class.face_1")} ${counts[0]} · ${t("class.face_2")} ${counts[1]} · ${t("class.face_3")} ${counts[2]}`)));
}

function row(one) {
  const { lesson } = one;
  const path = `/api/sessions/${lesson.session_id}/class`;
  const begun = lesson.state === "live";
  const over = lesson.state === "ended" || lesson.state === "ending";
  const missing = lesson.pupils.filter((pupil) => !pupil.came).length;
  const pupils = lesson.pupils.map((pupil) =>
    el("button", { type: "button", "aria-pressed": String(pupil.came), onclick: () => act(() => api("POST", `${path}/came`, { person_id: pupil.person_id, came: !pupil.came })) }, pupil.came ? icon("check") : null, pupil.name));
  return el("li", { class: "lesson" },
    el("div", { class: "head" },
      el("span", { class: "figures" }, `${clock(one.starts_at)} – ${clock(one.ends_at)}`),
      el("h3", {}, [lesson.period && t("class.period", { period: lesson.period }), lesson.subject].filter(Boolean).join(" ")),
      el("span", { class: "quiet" }, [one.class_name, lesson.far].filter(Boolean).join(" · "))),
    over ? el("p", { class: "quiet" }, t("lessons.over")) : el("ul", { class: "findings" }, ...readiness(lesson)),
    pupils.length ? el("div", { class: "pupils" }, ...pupils) : null,
    over ? (lesson.sheets ? tally(one) : null) : el("div", { class: "row" },
      begun
        ? el("button", { type: "button", class: "ends", onclick: async () => { if (await ask(t("lessons.end_question"), t("lessons.go_on"), t("class.end"))) await act(() => api("POST", `${path}/finish`), t("lessons.ended")); } }, t("class.end"))
        : el("button", { type: "button", class: "primary", onclick: () => act(() => api("POST", `${path}/start`), t("class.begun")) }, t("class.start")),
      begun && missing && !lesson.absent_sent ? el("button", { type: "button", onclick: () => act(() => api("POST", `${path}/absent`), t("class.absent_sent")) }, t("class.send_absent", { count: missing })) : null,
      lesson.absent_sent ? el("span", { class: "quiet" }, t("class.absent_sent")) : null,
      begun ? el("a", { class: "button", href: `/live/${lesson.session_id}` }, t("lessons.captions")) : null));
}

let shown = "";

async function show() {
  let found;
  try {
    found = await api("GET", `${home}/classes`);
  } catch (problem) {
    return say("attention", problem.message);
  }
  const sign = JSON.stringify(found);
  if (sign === shown) return;
  shown = sign;
  byId("nothing").hidden = found.length > 0;
  byId("lessons").replaceChildren(...found.map(row));
}

/* ---- the timetable, for the office ---- */

const PROBLEMS = () => ({
  "The day must be a day of the week, like Mon.": t("lessons.bad_day"),
  "Name a period of the school, or when it starts and ends, like 10:50.": t("lessons.bad_period"),
  "The lesson ends before it starts.": t("lessons.bad_order"),
  "In this term the lesson has no day at all.": t("lessons.no_day"),
  "There is no room of that name on the far side.": t("lessons.bad_far"),
  "Every day of this lesson is past.": t("lessons.past"),
});

const said = (problem) => (page.language === "en" ? problem : (PROBLEMS()[problem] ?? t("lessons.cannot")));

function bells() {
  const rows = byId("bells").value.split("\n").map((line) => line.trim().split(/[\s,–-]+/)).filter((parts) => parts.length === 3);
  return Object.fromEntries(rows.map(([name, starts, ends]) => [name, { starts: starts.padStart(5, "0"), ends: ends.padStart(5, "0") }]));
}

async function wish() {
  const [file] = byId("file").files;
  const off = byId("off-first").value && byId("off-last").value ? [{ first: byId("off-first").value, last: byId("off-last").value }] : [];
  return {
    group_id: byId("group").value,
    place_id: byId("near").value,
    far_place_id: byId("far").value || null,
    first: byId("first").value,
    last: byId("last").value,
    off,
    periods: bells(),
    school_mail: byId("mail").value.trim() || null,
    format: file.name.toLowerCase().endsWith(".ics") ? "ics" : "csv",
    text: await file.text(),
  };
}

function table(rows) {
  const days = (list) => list.map((day) => day.slice(5).replace("-", "/")).join(" ");
  const body = rows.map((one) => el("tr", {},
    el("td", {}, String(one.row)),
    el("td", {}, one.subject),
    el("td", {}, `${one.period} ${one.starts && `${one.starts} – ${one.ends}`}`),
    el("td", {}, t("lessons.dates", { count: one.dates })),
    el("td", {}, ...one.problems.map((problem) => notice("attention", said(problem))),
      one.taken.length ? el("p", {}, t("lessons.taken", { days: days(one.taken) })) : null,
      one.left_out.length ? el("p", { class: "quiet" }, t("lessons.left_out", { days: days(one.left_out) })) : null)));
  const heads = [t("lessons.row"), t("lessons.subject"), t("lessons.when"), t("lessons.count"), ""];
  return el("table", {}, el("thead", {}, el("tr", {}, ...heads.map((one) => el("th", {}, one)))), el("tbody", {}, ...body));
}

async function preview(event) {
  event.preventDefault();
  const box = byId("preview");
  try {
    const form = await wish();
    const rows = await api("POST", `${home}/timetables/look`, form);
    const good = rows.filter((one) => !one.problems.length);
    const take = el("button", { type: "button", class: "primary large", onclick: () => save(form) }, t("lessons.take", { count: good.length }));
    box.replaceChildren(table(rows), ...(good.length ? [take] : []));
  } catch (problem) {
    box.replaceChildren(notice("attention", problem.message));
  }
}

async function save(form) {
  try {
    const rows = await api("POST", `${home}/timetables`, form);
    const made = rows.filter((one) => one.series_id);
    byId("preview").replaceChildren(notice("well", t("lessons.taken_over", { count: made.length, dates: made.reduce((sum, one) => sum + one.dates, 0) })));
    await show();
  } catch (problem) {
    byId("preview").replaceChildren(notice("attention", problem.message));
  }
}

async function fill() {
  const [groups, places] = await Promise.all([api("GET", `${home}/groups`), api("GET", `${home}/places`)]);
  byId("group").replaceChildren(...groups.map((one) => el("option", { value: one.group_id }, one.name)));
  const rooms = places.filter((one) => one.kind === "room");
  const options = () => rooms.map((one) => el("option", { value: one.place_id }, one.name));
  byId("near").replaceChildren(...options());
  byId("far").replaceChildren(el("option", { value: "" }, t("lessons.no_far")), ...options());
  byId("timetable").addEventListener("submit", preview);
}

show();
setInterval(show, LOOK_MS);
if (byId("timetable")) fill().catch((problem) => say("attention", problem.message));
