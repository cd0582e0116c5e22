// Set-up: one part at a time, by the address behind `#`.

import { ApiError, api, byId, el, notice, page, t } from "./dom.js";
import { drawBoards, drawLetters, drawPanels, drawReports } from "./setup_things.js";
import { drawPlaces } from "./setup_places.js";
import { drawHours } from "./setup_hours.js";
import { drawCalendars } from "./setup_calendars.js";
import { drawHooks } from "./setup_hooks.js";
import { drawLevels } from "./setup_levels.js";
import { drawRules } from "./setup_rules.js";

const HERE = `/api/municipalities/${page.municipality_id}`;
const PARTS = {
  boards: [() => t("setup.boards"), drawBoards],
  places: [() => t("setup.places"), drawPlaces],
  hours: [() => t("setup.hours"), drawHours],
  rules: [() => t("setup.rules"), drawRules],
  levels: [() => t("setup.levels"), drawLevels],
  panels: [() => t("setup.panels"), drawPanels],
  reports: [() => t("setup.reports"), drawReports],
  letters: [() => t("setup.letters"), drawLetters],
  calendars: [() => t("setup.calendars"), drawCalendars],
  ...(page.kind === "administrator" ? { hooks: [() => t("setup.hooks"), drawHooks] } : {}),
};

const say = (weight, text) => byId("sentences").replaceChildren(notice(weight, text));

/** Does the work, then draws again; what was refused is said, and what was typed stays. `well`: said when it is done. */
async function doing(work, well) {
  try {
    if (await work() === false) return;
    await draw();
    if (well) say("well", well);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) location.assign("/login");
    say("fault", error.message);
  }
}

async function draw() {
  const name = location.hash.slice(1) in PARTS ? location.hash.slice(1) : "boards";
  byId("tabs").replaceChildren(...Object.entries(PARTS).map(([key, [text]]) => el("a", { href: `#${key}`, "aria-current": key === name ? "page" : false }, text())));
  const tools = { here: HERE, api, doing, may: page.kind === "administrator" };
  byId("part").replaceChildren(...await PARTS[name][1](tools));
}

addEventListener("hashchange", () => { byId("sentences").replaceChildren(); doing(async () => {}); });
doing(async () => {});
