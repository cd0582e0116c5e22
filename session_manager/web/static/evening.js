// One evening for whoever leads it, and for its group: the question, the tables, who is here, what it left, the report.

import { act, button, say } from "./acts.js";
import { api, ask, byId, el, icon, notice, page, t } from "./dom.js";
import { dayOf, spanOf } from "./dates.js";
import { levelText } from "./levels.js";

const HERE = `/api/municipalities/${page.municipality_id}/evenings/${page.evening_id}`;
const POLL_MS = 15_000;
const KINDS = () => ({ question: t("evening.kind_question"), action: t("evening.kind_action"), quote: t("evening.kind_quote") });
const state = { evening: null, report: null, held: null };

const nameOf = (id) => state.evening.guests.find(({ person_id }) => person_id === id)?.name ?? "";
const peopleSelect = (chosen, empty) => el("select", {}, el("option", { value: "" }, empty), ...state.evening.guests.map((one) => el("option", { value: one.person_id, selected: one.person_id === chosen }, one.name)));
const labelled = (text, input, more = "") => el("label", { class: `field ${more}` }, text, input);

async function load() {
  state.evening = await api("GET", HERE);
  if (page.runs && begun()) state.report = await api("GET", `${HERE}/report`).catch(() => null);
  draw();
}

const begun = () => Date.now() / 1000 >= state.evening.starts_at || ["live", "ending", "ended"].includes(state.evening.session_state);
const over = () => state.evening.session_state === "ended" || Date.now() / 1000 > state.evening.ends_at;

function draw() {
  const one = state.evening;
  byId("title").textContent = one.title;
  byId("when").textContent = spanOf(one.starts, one.ends);
  byId("where").textContent = [...one.places, one.mode === "in_person" ? "" : one.mode === "online" ? t("evening.online") : t("evening.hybrid")].filter(Boolean).join(" / ");
  byId("series").replaceChildren(one.series_id && page.runs ? el("a", { href: `/series/${one.series_id}` }, t("evening.to_series")) : "");
  drawActs();
  drawQuestion();
  drawAsked();
  drawPeople();
  drawTables();
  drawHarvest();
  drawReport();
}

// ---- what is next ---------------------------------------------------------------------------------------------------------

function drawActs() {
  const one = state.evening;
  const soon = Date.now() / 1000 > one.starts_at - 7200;
  byId("act").replaceChildren(
    page.runs && one.session_state === "planned" && soon ? button(t("evening.begin"), begin, { class: "primary large" }) : "",
    one.session_state === "live" ? el("a", { class: "button primary large", href: `/live/${one.session_id}` }, t("evening.running")) : "",
    page.runs && one.session_state === "live" ? button(t("evening.end"), end, { class: "ends" }) : "",
    page.runs && soon && !over() ? el("a", { class: "button", href: `/door/${one.booking_id}` }, icon("people"), t("evening.door")) : "",
    page.runs && one.session_state === "planned" && !soon ? el("p", { class: "quiet" }, t("evening.later")) : "");
}

async function begin() {
  await api("POST", `/api/sessions/${state.evening.session_id}/start`);
  await load();
  say("well", t("evening.begun"));
}

async function end() {
  if (!(await ask(t("evening.end_ask"), t("evening.go_on"), t("evening.end")))) return;
  await api("POST", `/api/sessions/${state.evening.session_id}/end`);
  await load();
}

// ---- the question ---------------------------------------------------------------------------------------------------------

function drawQuestion() {
  const { question } = state.evening;
  const mine = question.owner_id === page.person_id && page.person_id;
  const checked = question.checked_by.includes(page.person_id);
  const count = question.checked_by.length;
  const card = question.words
    ? el("div", { class: "card" },
      el("p", { class: "asked" }, question.words),
      el("dl", {}, ...[[t("evening.owner"), nameOf(question.owner_id)], [t("evening.why"), question.why], [t("evening.known"), question.known]]
        .filter(([, text]) => text).flatMap(([name, text]) => [el("dt", {}, name), el("dd", {}, text)])))
    : el("p", { class: "quiet" }, t("evening.no_question"));
  const word = !question.words ? "" : count >= 2 ? notice("well", t("evening.checked", { names: question.checked_by.map(nameOf).join(t("evening.comma")) })) : notice("plain", t("evening.not_checked", { n: 2 - count }));
  byId("question").replaceChildren(card, word,
    page.person_id && question.words && !mine && !checked && count < 2 ? button(t("evening.check"), check, { class: "primary" }) : "",
    page.runs ? el("details", {}, el("summary", { class: "button" }, question.words ? t("evening.edit") : t("evening.write")), questionForm(question)) : "");
}

function questionForm(question) {
  const words = el("input", { type: "text", maxlength: "300", required: true, value: question.words, id: "q-words" });
  const why = el("textarea", { maxlength: "2000", rows: "2", id: "q-why" }, question.why);
  const known = el("textarea", { maxlength: "2000", rows: "2", id: "q-known" }, question.known);
  const owner = peopleSelect(question.owner_id, t("evening.nobody"));
  owner.id = "q-owner";
  const form = el("form", { class: "form-grid" },
    labelled(t("evening.question"), words, "wide"), labelled(t("evening.owner"), owner), labelled(t("evening.why"), why, "wide"), labelled(t("evening.known"), known, "wide"),
    el("div", { class: "wide" }, el("button", { class: "primary" }, t("evening.keep"))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(event.submitter, async () => {
      await api("PUT", `${HERE}/question`, { words: words.value.trim(), why: why.value.trim(), known: known.value.trim(), owner_id: owner.value || null });
      await load();
    });
  });
  return form;
}

async function check() {
  await api("POST", `${HERE}/question/check`, { version: state.evening.question.version }, { not_possible: t("evening.changed_meanwhile") });
  await load();
}

function drawAsked() {
  const { open_actions: open } = state.evening;
  byId("asked").hidden = open.length === 0;
  byId("actions").replaceChildren(...open.map((one) => el("li", {},
    el("div", {}, el("p", {}, one.words), el("p", { class: "quiet small" }, [one.name, one.due_on ? t("evening.due", { day: dayOf(`${one.due_on}T00:00`) }) : "", t("evening.from_evening", { day: dayOf(one.from_starts) })].filter(Boolean).join(" / "))),
    page.runs ? el("div", { class: "actions" }, button(t("evening.done"), () => done(one))) : "")));
}

async function done(one) {
  await api("POST", `${HERE.replace(page.evening_id, one.booking_id)}/items/finish`, { item_id: one.item_id, done: true });
  await load();
}

// ---- people and tables ----------------------------------------------------------------------------------------------------

function drawPeople() {
  const { guests, consent, nameless } = state.evening;
  const here = guests.filter((one) => one.came_at && !one.left_at);
  byId("people").replaceChildren(
    el("p", { class: `level level-${consent.level}` }, levelText(consent.level)),
    el("p", { class: "quiet" }, t("evening.here", { n: here.length + nameless, of: guests.length })),
    el("ul", { class: "chips" }, ...guests.map((one) => el("li", { class: here.includes(one) ? "chip here" : "chip" }, here.includes(one) ? icon("check") : "", one.name))));
}

function drawTables() {
  const { tables, guests } = state.evening;
  if (!guests.length) {
    byId("tables").replaceChildren(el("p", { class: "quiet" }, t("evening.no_people")));
    return;
  }
  const per = el("select", { id: "per-table" }, ...[3, 4, 5, 6, 8].map((n) => el("option", { value: n, selected: n === 5 }, t("evening.per_table", { n }))));
  byId("tables").replaceChildren(
    tables.length ? el("p", { class: "small quiet" }, page.runs ? t("evening.move") : "") : el("p", { class: "quiet" }, t("evening.no_tables")),
    el("div", { class: "tables" }, ...tables.map((table, number) => tableCard(table, number))),
    page.runs ? el("div", { class: "acts" }, per, button(tables.length ? t("evening.again") : t("evening.propose"), async () => {
      await api("POST", `${HERE}/tables`, { per_table: Number(per.value) });
      await load();
    }, { id: "propose" })) : "");
}

function tableCard(table, number) {
  return el("section", { class: "table", "aria-label": t("evening.table", { n: number + 1 }) },
    el("h3", {}, t("evening.table", { n: number + 1 }), table.board ? el("span", { class: "quiet small" }, ` ${t("evening.board")}`) : ""),
    el("ul", {}, ...table.people.map((id) => el("li", {}, page.runs ? el("button", { type: "button", class: "chip", "aria-pressed": String(state.held === id), onclick: () => hold(id) }, nameOf(id), remarks(id)) : el("span", { class: "chip" }, nameOf(id))))),
    page.runs && state.held && !table.people.includes(state.held) ? button(t("evening.to_here", { name: nameOf(state.held) }), () => move(number), { class: "primary" }) : "");
}

function remarks(id) {
  const one = state.evening.guests.find(({ person_id }) => person_id === id);
  const words = [one?.sector, one?.side === "island" ? t("evening.island") : one?.side === "mainland" ? t("evening.mainland") : "", one?.new ? t("evening.new") : ""].filter(Boolean);
  return words.length ? el("small", { class: "quiet" }, words.join("・")) : "";
}

function hold(id) {
  state.held = state.held === id ? null : id;
  drawTables();
}

async function move(number) {
  const tables = state.evening.tables.map((table, at) => ({ board: table.board, person_ids: [...table.people.filter((id) => id !== state.held), ...(at === number ? [state.held] : [])] }));
  state.held = null;
  await api("PUT", `${HERE}/tables`, { tables });
  await load();
}

// ---- the harvest ----------------------------------------------------------------------------------------------------------

function drawHarvest() {
  const { items } = state.evening;
  const open = byId("harvest").querySelector("form");
  const typed = open ? [...open.elements].map((one) => (one.type === "checkbox" ? one.checked : one.value)) : null;
  byId("harvest").replaceChildren(
    items.length ? el("ul", { class: "list" }, ...items.map(itemLine)) : el("p", { class: "quiet" }, t("evening.no_items")),
    page.runs && begun() ? itemForm() : "");
  const form = byId("harvest").querySelector("form");
  if (typed && form) [...form.elements].forEach((one, at) => { if (one.type === "checkbox") one.checked = typed[at]; else if (one.tagName !== "BUTTON") one.value = typed[at]; });
}

function itemLine(one) {
  const answer = (yes) => async () => {
    const mine = one.person_id && one.person_id === page.person_id && !page.runs;
    await api("POST", `${HERE}/items/${mine ? "mine" : "answer"}`, { item_id: one.item_id, yes });
    await load();
  };
  const may = one.person_id && (page.runs || one.person_id === page.person_id);
  const words = [KINDS()[one.kind], one.name, one.due_on ? t("evening.due", { day: dayOf(`${one.due_on}T00:00`) }) : "", one.done_at ? t("evening.is_done") : "", one.yes_at ? t("evening.yes") : t("evening.no_yes")].filter(Boolean).join(" / ");
  return el("li", {},
    el("div", {}, el("p", {}, one.words), el("p", { class: "quiet small" }, words)),
    el("div", { class: "actions" },
      may ? button(one.yes_at ? t("evening.take_back") : t("evening.said_yes"), answer(!one.yes_at)) : "",
      page.runs ? button(t("evening.strike"), async () => { await api("POST", `${HERE}/items/drop`, { item_id: one.item_id }); await load(); }, { class: "plain" }) : ""));
}

function itemForm() {
  const kind = el("select", { id: "item-kind" }, ...Object.entries(KINDS()).map(([value, text]) => el("option", { value }, text)));
  const words = el("input", { type: "text", id: "item-words", maxlength: "500", required: true });
  const person = peopleSelect("", t("evening.nobody"));
  person.id = "item-person";
  const due = el("input", { type: "date", id: "item-due" });
  const yes = el("input", { type: "checkbox", id: "item-yes" });
  const form = el("form", { class: "form-grid", id: "item-form" },
    labelled(t("evening.kind"), kind), labelled(t("evening.whose"), person), labelled(t("evening.words"), words, "wide"), labelled(t("evening.until"), due),
    el("label", { class: "check wide" }, yes, t("evening.asked_and_yes")), el("div", { class: "wide" }, el("button", { class: over() ? "" : "primary" }, icon("plus"), t("evening.write_down"))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(event.submitter, async () => {
      await api("POST", `${HERE}/items`, { kind: kind.value, words: words.value.trim(), person_id: person.value || null, due_on: due.value || null, said_yes: yes.checked });
      form.reset();
      await load();
      byId("item-words").focus();
    });
  });
  return form;
}

// ---- the report -----------------------------------------------------------------------------------------------------------

function drawReport() {
  const { report } = state;
  byId("report-part").hidden = !report || !begun();
  if (byId("report-part").hidden || byId("report").querySelector(":focus")) return;
  const out = report.published_at && !report.withdrawn_at;
  const title = el("input", { type: "text", id: "report-title", maxlength: "80", required: true, value: report.title });
  const opening = el("textarea", { id: "report-opening", maxlength: "2000", rows: "3" }, report.opening);
  const left = new Set(report.left_out);
  const all = [...state.evening.items];
  const shown = new Map(report.paragraphs.map((one) => [one.item_id, one]));
  byId("report").replaceChildren(
    out ? notice("well", t("evening.is_public"), " ", el("a", { href: `/reports/${report.slug}` }, t("evening.see_report"))) : el("p", {}, t("evening.only_agreed")),
    report.held_back ? el("p", { class: "quiet small" }, t("evening.held_back", { n: report.held_back })) : "",
    el("div", { class: "form-grid" }, labelled(t("evening.report_title"), title, "wide"), labelled(t("evening.opening"), opening, "wide")),
    el("ul", { class: "list" }, ...all.filter((one) => shown.has(one.item_id) || left.has(one.item_id)).map((one) => {
      const box = el("input", { type: "checkbox", name: "in-report", value: one.item_id, checked: shown.has(one.item_id) });
      return el("li", {}, el("label", { class: "check" }, box, el("span", {}, shown.get(one.item_id)?.words ?? one.words)));
    })),
    el("div", { class: "acts" },
      button(t("evening.keep"), () => keep(title, opening)),
      out ? button(t("evening.withdraw"), withdraw, { class: "ends" }) : button(t("evening.publish"), () => publish(title, opening), { class: "primary", id: "publish" })));
}

async function keep(title, opening) {
  const boxes = [...document.querySelectorAll("input[name=in-report]")];
  const body = { title: title.value.trim(), opening: opening.value.trim(), left_out: boxes.filter((box) => !box.checked).map((box) => box.value) };
  state.report = await api("PUT", `${HERE}/report`, body, { not_possible: t("evening.names_somebody") });
}

async function publish(title, opening) {
  await keep(title, opening);
  if (!(await ask(t("evening.publish_ask", { n: state.report.paragraphs.length }), t("evening.not_yet"), t("evening.publish")))) return;
  state.report = await api("POST", `${HERE}/report/publish`, {});
  drawReport();
  say("well", t("evening.published"));
}

async function withdraw() {
  if (!(await ask(t("evening.withdraw_ask"), t("evening.leave_it"), t("evening.withdraw")))) return;
  state.report = await api("POST", `${HERE}/report/withdraw`, {});
  drawReport();
}

load().catch((error) => say("fault", error.message));
setInterval(() => {
  if (!document.hidden && !document.querySelector("main :focus:is(input, textarea, select)") && !document.querySelector("details[open], dialog")) load().catch(() => null);
}, POLL_MS);
