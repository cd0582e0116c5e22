// At the door: people touch their names and say how much may be kept; the wall shows what the room keeps now.

import { api, byId, el, icon, notice, page, t } from "./dom.js";
import { levelText } from "./levels.js";

const HERE = `/api/municipalities/${page.municipality_id}/evenings/${page.evening_id}`;
const POLL_MS = 4000;
const state = { door: null };

async function load() {
  state.door = await api("GET", `${HERE}/door`);
  draw();
}

function draw() {
  const { door } = state;
  byId("title").textContent = door.title;
  byId("names").replaceChildren(...door.people.map((one) => el("li", {},
    el("button", { type: "button", class: one.here ? "here" : "", onclick: () => touch(one) }, one.here ? icon("check") : "", el("span", {}, one.name), one.here ? el("span", { class: "visually-hidden" }, t("door.is_here")) : ""))));
  const { level, present } = door.consent;
  document.body.dataset.level = level;
  byId("level").replaceChildren(el("b", {}, levelText(level)), el("span", {}, t("door.present", { n: present })));
  byId("sentences").replaceChildren();
}

function touch(one) {
  const { agreed } = state.door.consent;
  const say = (level, listens) => async () => {
    try {
      state.door.consent = await api("POST", `${HERE}/door`, { person_id: one.person_id, level, listens });
      dialog.close();
      await load();
    } catch (error) {
      dialog.querySelector(".problem").replaceChildren(notice("fault", error.message));
    }
  };
  const choice = (heading, text, level, listens) => el("button", { type: "button", class: "choice", onclick: say(level, listens) }, el("b", {}, heading), el("span", {}, text));
  const dialog = el("dialog", { class: "touch", "aria-labelledby": "who" },
    el("h2", { id: "who" }, t("door.hello", { name: one.name })),
    el("p", {}, t("door.how")),
    choice(t("door.agree"), levelText(agreed), agreed, false),
    agreed > 1 ? choice(t("door.lower"), levelText(1), 1, false) : "",
    choice(t("door.listen"), t("door.listen_long"), agreed, true),
    el("div", { class: "problem" }),
    el("div", { class: "answers" },
      agreed > 0 ? el("button", { type: "button", class: "plain", onclick: say(0, false) }, t("door.count_only")) : "",
      one.here ? el("button", { type: "button", class: "plain", onclick: () => gone(one, dialog) }, t("door.out")) : "",
      el("button", { type: "button", class: "plain", onclick: () => dialog.close() }, t("door.back"))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

async function gone(one, dialog) {
  dialog.close();
  const started = ["live", "ending"].includes(state.door.session_state);
  await api("POST", `${HERE}/door/${started ? "out" : "undo"}`, { person_id: one.person_id }).catch(fault);
  await load().catch(fault);
}

const fault = (error) => byId("sentences").replaceChildren(notice("fault", error.message));

load().catch(fault);
setInterval(() => { if (!document.querySelector("dialog")) load().catch(fault); }, POLL_MS);
