// A CSV file of people: what it would do is shown before anything is taken.

import { ApiError, api, byId, el, notice, page, t } from "./dom.js";

const MOST_SHOWN = 200;
const cookie = (name) => decodeURIComponent(document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? "");

async function send(path, file) {
  const answer = await fetch(path, { method: "POST", body: file, credentials: "same-origin", headers: { "Content-Type": "text/csv", "Accept-Language": page.language, "X-CSRF-Token": cookie(page.csrf_cookie) } });
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new ApiError(answer.status, body?.code, body?.said ?? t("people.file_bad"));
  return body;
}

const problem = (one) => (one.problem === "mail_known" ? t("people.mail_taken") : one.problem ? t("people.row_bad") : one.new_house ? t("people.new_house") : t("people.row_good"));

export async function readFile(here, file, done) {
  if (!file) return;
  const rows = await send(`${here}/people.csv/preview`, file);
  const wrong = rows.filter((one) => one.problem).length;
  const table = el("table", { class: "sheet" },
    el("thead", {}, el("tr", {}, ...[t("people.row"), t("people.name"), t("people.mail"), t("people.organisations"), ""].map((text) => el("th", {}, text)))),
    el("tbody", {}, ...rows.slice(0, MOST_SHOWN).map((one) => el("tr", {}, ...[one.row, one.name, one.mail, one.organisation, problem(one)].map((text) => el("td", {}, String(text)))))));
  const take = el("button", { type: "button", class: "primary", onclick: async () => {
    try {
      const made = await send(`${here}/people.csv`, file);
      byId("preview").replaceChildren(notice("well", t("people.taken", { n: made.length })));
      byId("file").value = "";
      done();
    } catch (error) {
      byId("preview").prepend(notice("fault", error.message));
    }
  } }, t("people.take", { n: rows.length }));
  byId("preview").replaceChildren(
    wrong ? notice("attention", t("people.rows_wrong", { n: wrong })) : notice("plain", t("people.rows_good", { n: rows.length })),
    table, ...(wrong || !rows.length ? [] : [el("p", { class: "lead" }, take)]));
}
