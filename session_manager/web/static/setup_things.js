// Boards (with taking a new one in), panels at doors, what people reported, letters that were given up.

import { ask, clock, el, icon, notice, t } from "./dom.js";

const STALE_S = 120;
const moment = (seconds) => clock(seconds, { month: "long", day: "numeric", hour: "2-digit", minute: "2-digit" });
const button = (text, onclick, weight = "") => el("button", { type: "button", class: weight, onclick }, text);
const empty = (text) => el("p", { class: "quiet lead" }, text);
const field = (id, text, input) => el("div", {}, el("label", { for: id }, text), input);
const roomChoice = (id, rooms) => el("select", { id, required: true }, ...rooms.map((room) => el("option", { value: room.place_id }, room.name)));
const rooms = async ({ api, here }) => (await api("GET", `${here}/places`)).filter(({ kind }) => kind === "room");

// ---- boards -----------------------------------------------------------------------------------------------------

export async function drawBoards(tools) {
  const { api } = tools;
  const [boards, found] = await Promise.all([api("GET", "/api/boards"), rooms(tools)]);
  const names = new Map(found.map((room) => [room.place_id, room.name]));
  const now = Date.now() / 1000;
  const mine = boards.filter((board) => names.has(board.room_id));
  const list = mine.map((board) => {
    const well = board.last_seen_at && now - board.last_seen_at < STALE_S;
    const said = board.last_seen_at ? (well ? t("setup.board_well") : t("setup.board_lost", { at: moment(board.last_seen_at) })) : t("setup.board_never");
    return el("li", {}, el("div", {}, el("h3", {}, board.name), el("p", { class: "quiet small" }, `${names.get(board.room_id)}${t("setup.dot")}${said}`)), el("span", { class: `dot ${well ? "well" : "attention"}`, "aria-hidden": "true" }));
  });
  return [
    ...(tools.may ? [takeIn(tools, found, mine.length + 1)] : []),
    list.length ? el("ul", { class: "list", id: "boards" }, ...list) : empty(t("setup.no_boards")),
  ];
}

/** The code from the board's screen, the room, one button. */
function takeIn(tools, found, number) {
  const code = el("input", { id: "code", class: "code-field", type: "text", maxlength: 12, autocomplete: "off", autocapitalize: "characters", spellcheck: "false", required: true, placeholder: "ABCD-2345" });
  const room = el("div", { class: "choices", id: "board-rooms" }, ...found.map((one) => el("label", {}, el("input", { type: "radio", name: "board-room", value: one.place_id, required: true }), one.name)));
  const name = t("setup.board_named", { n: number });
  return el("form", { id: "take-in", class: "form-grid", onsubmit: (event) => {
    event.preventDefault();
    const chosen = event.target.elements["board-room"];
    const roomId = chosen?.value;
    const words = { not_found: t("setup.no_such_code") };
    tools.doing(() => tools.api("POST", `${tools.here}/boards`, { code: code.value, room_id: roomId, name }, words), t("setup.board_added", { name }));
  } },
    el("p", { class: "wide" }, t("setup.take_in_said")),
    field("code", t("setup.code"), code),
    el("fieldset", {}, el("legend", { class: "label" }, t("setup.room")), found.length ? room : empty(t("setup.no_rooms"))),
    el("div", { class: "wide" }, el("button", { class: "primary" }, icon("plus"), t("setup.take_in"))));
}

// ---- panels -----------------------------------------------------------------------------------------------------

export async function drawPanels(tools) {
  const { api, here, doing } = tools;
  const [panels, found] = await Promise.all([api("GET", `${here}/panels`), rooms(tools)]);
  const shown = el("div", { class: "stack lead", role: "status" });
  const give = async (path, body) => {
    const made = await api("POST", path, body);
    shown.replaceChildren(notice("plain", t("setup.panel_once")), el("p", { class: "secret" }, made.link));
    return false;
  };
  const room = roomChoice("panel-room", found);
  const list = panels.map((panel) => el("li", {},
    el("div", {}, el("h3", {}, panel.room), el("p", { class: "quiet small" }, panel.last_seen_at ? t("setup.seen", { at: moment(panel.last_seen_at) }) : t("setup.panel_new"))),
    el("div", { class: "pair" },
      button(t("setup.panel_link"), () => doing(() => give(`${here}/panels/${panel.panel_id}/link`))),
      button(t("setup.panel_end"), () => doing(async () => await ask(t("setup.panel_ask", { room: panel.room }), t("setup.keep"), t("setup.panel_end")) && api("DELETE", `${here}/panels/${panel.panel_id}`)), "plain"))));
  return [
    el("p", { class: "lead" }, t("setup.panels_said")),
    el("div", { class: "pair lead" }, el("label", { for: "panel-room" }, t("setup.room")), room, button(t("setup.panel_add"), () => doing(() => give(`${here}/panels`, { room_id: room.value, name: room.selectedOptions[0]?.textContent ?? "" })))),
    shown,
    list.length ? el("ul", { class: "list" }, ...list) : empty(t("setup.no_panels")),
  ];
}

// ---- what people reported ---------------------------------------------------------------------------------------

const KINDS = {
  camera: () => t("setup.report_camera"),
  sound: () => t("setup.report_sound"),
  display: () => t("setup.report_display"),
  room: () => t("setup.report_room"),
  other: () => t("setup.report_other"),
};

export async function drawReports({ api, here, doing }) {
  const found = await api("GET", `${here}/reports`);
  if (!found.length) return [empty(t("setup.no_reports"))];
  return [el("ul", { class: "list" }, ...found.map((one) => el("li", {},
    el("div", {}, el("h3", {}, `${one.room}${t("setup.dot")}${KINDS[one.kind]()}`), el("p", { class: "quiet small" }, moment(one.reported_at))),
    button(t("setup.works_again"), () => doing(() => api("POST", `${here}/reports/${one.report_id}/resolve`))))))];
}

// ---- letters ----------------------------------------------------------------------------------------------------

export async function drawLetters({ api, here, doing }) {
  const dead = (await api("GET", `${here}/outbox`)).filter(({ state }) => state === "dead");
  if (!dead.length) return [empty(t("setup.no_letters"))];
  return [
    el("p", { class: "lead" }, t("setup.letters_said")),
    el("ul", { class: "list" }, ...dead.map((one) => el("li", {},
      el("div", {}, el("h3", {}, one.recipient), el("p", { class: "quiet small" }, `${moment(one.created_at)}${t("setup.dot")}${one.failure === "restored" ? t("setup.letters_restored") : one.failure ?? ""}`)),
      button(t("setup.send_again"), () => doing(() => api("POST", `${here}/outbox/${one.notice_id}/retry`), t("setup.sent_again")))))),
  ];
}
