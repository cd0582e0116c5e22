// A class at the door: is everything ready, begin, touch one's name, end, three questions. Nothing personal stays.

import { clock, el, icon, t } from "./dom.js";
import { cut, now, send, wipe } from "./panel_line.js";

const EARLY_S = 600;
const SHEET_MS = 120_000;

/** The lesson that is due or running in this room. */
export function lessonNow(day, at) {
  return day.bookings.find((one) => one.lesson && one.starts_at - EARLY_S <= at && at < one.ends_at && ["planned", "live"].includes(one.lesson.state)) ?? null;
}

const FINDINGS = {
  ready: () => t("class.ready"),
  asleep: (one) => t("class.asleep", { site: one.site }),
  never: (one) => t("class.never", { site: one.site }),
  none: (one) => t("class.no_board", { site: one.site }),
  disk: (one) => t("class.disk", { site: one.site }),
  microphone: (one) => t("class.microphone", { site: one.site }),
  camera: (one) => t("class.camera", { site: one.site }),
  speaker: (one) => t("class.speaker", { site: one.site }),
};

/** What the look at the boards found, as sentences: the troubles, or that all is ready. */
export function readiness(lesson) {
  if (!lesson.check) return [el("li", { class: "quiet" }, icon("info"), t("class.not_checked"))];
  const wrong = lesson.check.findings.filter((one) => one.state !== "ready");
  if (!wrong.length) return [el("li", { class: "well" }, icon("check"), FINDINGS.ready())];
  return wrong.map((one) => el("li", { class: "attention" }, icon("alert"), (FINDINGS[one.state] ?? FINDINGS.asleep)(one)));
}

export function drawLesson(day, booking, { act, draw }) {
  const { lesson } = booking;
  const begun = lesson.state === "live";
  const path = `/bookings/${booking.booking_id}`;
  const absent = lesson.pupils.filter((one) => !one.came);
  const start = el("button", { type: "button", class: "primary start", "data-key": "start", disabled: cut(), onclick: () => act(() => send(`${path}/start`), t("class.begun")) }, t("class.start"));
  const end = el("button", { type: "button", class: "ends start", "data-key": "finish", disabled: cut(), onclick: () => finish(booking, act, draw) }, t("class.end"));
  const names = lesson.pupils.map((one) =>
    el("button", { type: "button", class: "pupil", "data-key": one.person_id, "aria-pressed": String(one.came), disabled: cut(), onclick: () => act(() => send(`${path}/came`, { person_id: one.person_id, came: !one.came })) }, one.came ? icon("check") : null, one.name));
  return [
    el("p", { class: "word lesson" }, el("strong", {}, [lesson.period && t("class.period", { period: lesson.period }), lesson.subject].filter(Boolean).join(" ")), el("span", { class: "till" }, `${clock(booking.starts_at)} – ${clock(booking.ends_at)}`)),
    lesson.far ? el("p", { class: "title" }, icon("link"), t("class.with", { far: lesson.far })) : null,
    cut() && begun ? el("p", { class: "hint attention" }, icon("alert"), t("class.cut")) : el("ul", { class: "findings" }, ...readiness(lesson)),
    el("div", { class: "lower" },
      lesson.pupils.length ? el("p", { class: "hint" }, t("class.touch"), el("span", { class: "count" }, absent.length ? t("class.missing", { count: absent.length }) : t("class.all_here"))) : null,
      lesson.pupils.length ? el("div", { class: "pupils" }, ...names) : null,
      el("div", { class: "row" },
        begun ? end : start,
        begun && absent.length && !lesson.absent_sent ? el("button", { type: "button", "data-key": "absent", disabled: cut(), onclick: () => act(() => send(`${path}/absent`), t("class.absent_sent")) }, t("class.send_absent", { count: absent.length })) : null,
        lesson.absent_sent ? el("p", { class: "quiet" }, icon("check"), t("class.absent_sent")) : null)),
  ];
}

async function finish(booking, act, draw) {
  const done = await act(() => send(`/bookings/${booking.booking_id}/finish`));
  if (!done) return;
  await wipe();
  sheet(booking.booking_id, draw);
}

/* ---- the sheet: no names, only counts leave this page ---- */

const QUESTIONS = () => [t("class.question_1"), t("class.question_2"), t("class.question_3")];
const FACES = [
  [1, "face-good", () => t("class.face_1")],
  [2, "face-plain", () => t("class.face_2")],
  [3, "face-sad", () => t("class.face_3")],
];

function sheet(bookingId, draw) {
  let answers = [];
  let handed = 0;
  let over = 0;
  const box = el("section", { class: "sheet", "aria-live": "polite" });
  const close = () => {
    clearTimeout(over);
    box.remove();
    document.body.classList.remove("in-sheet");
    wipe().then(() => draw(true));
  };
  const still = () => {
    clearTimeout(over);
    over = setTimeout(close, SHEET_MS);
  };
  const answer = async (face) => {
    still();
    answers.push(face);
    if (answers.length === 3) {
      const given = answers;
      answers = [];
      await send(`/bookings/${bookingId}/sheet`, { answers: given }).then(() => { handed += 1; }, () => null); // a sheet that is lost is one voice less, not a wrong one
    }
    show();
  };
  const show = () => {
    const question = answers.length;
    box.replaceChildren(
      el("p", { class: "hint" }, question === 0 && handed ? t("class.next_pupil", { count: handed }) : t("class.nameless")),
      el("p", { class: "question" }, `${question + 1}. ${QUESTIONS()[question]}`),
      el("div", { class: "faces" }, ...FACES.map(([value, name, word]) => el("button", { type: "button", "data-face": value, onclick: () => answer(value) }, icon(name), word()))),
      el("button", { type: "button", class: "plain", "data-key": "sheet-close", onclick: close }, t("class.sheet_close")));
  };
  document.body.classList.add("in-sheet");
  document.body.append(box);
  show();
  still();
}
