// People and organisations: look up, take a partner in, read a file. What one organisation or person is, is drawn elsewhere.

import { ApiError, api, byId, el, notice, page, t } from "./dom.js";
import { dateOf } from "./dates.js";
import { ROLE, drawGroup, drawHouse, drawSomeone } from "./people_one.js";
import { readFile } from "./people_file.js";

const HERE = `/api/municipalities/${page.municipality_id}`;
const sentence = (weight, text, ...more) => byId("sentences").replaceChildren(notice(weight, text, ...more));

async function act(work) {
  try {
    byId("sentences").replaceChildren();
    return await work();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) location.assign("/login");
    sentence("fault", error.message);
    return undefined;
  }
}

const until = ({ in_force: holds, until_on: day }) => (!holds ? t("people.no_agreement") : day ? t("people.until", { day: dateOf(day) }) : t("people.in_force"));

function houseRow(row, ladder) {
  const { organisation } = row;
  const level = ladder.find(({ position }) => position === row.level)?.name;
  const said = [organisation.sector, level, until(row), t("people.staff_count", { n: row.staff }), organisation.across_sea ? t("people.across") : null];
  return el("li", {}, el("div", {}, el("h3", {}, el("a", { href: `#o=${organisation.organisation_id}` }, organisation.name)), el("p", { class: "quiet small" }, said.filter(Boolean).join(t("people.dot")))));
}

function personRow({ person, organisations, roles }) {
  const said = [organisations.join(t("people.comma")), person.mail, ...roles.map((role) => ROLE[role]?.() ?? role)];
  return el("li", {}, el("div", {}, el("h3", {}, el("a", { href: `#p=${person.person_id}` }, person.name)), el("p", { class: "quiet small" }, said.filter(Boolean).join(t("people.dot")))));
}

function fill(list, none, rows, inAll) {
  byId(list).replaceChildren(...rows);
  if (inAll > rows.length) byId(list).append(el("li", { class: "quiet" }, t("people.more", { n: inAll - rows.length })));
  byId(list).hidden = rows.length === 0;
  byId(none).hidden = rows.length > 0;
}

let asked = 0;

async function refresh() {
  const mine = ++asked;
  const found = await api("GET", `${HERE}/directory?q=${encodeURIComponent(byId("search").value.trim())}`);
  if (mine !== asked) return;
  for (const id of ["no-houses", "no-persons"]) byId(id).textContent = byId("search").value.trim() ? t("people.not_found") : t("people.none");
  fill("houses", "no-houses", found.organisations.map((row) => houseRow(row, found.ladder)), found.organisations_in_all);
  fill("persons", "no-persons", found.people.map(personRow), found.people_in_all);
  if (!byId("partner-level").options.length) {
    byId("partner-level").replaceChildren(el("option", { value: 0 }, t("people.no_level")), ...found.ladder.map(({ position, name }) => el("option", { value: position }, t("people.step", { n: position, name }))));
    if (found.ladder.length) byId("partner-level").value = "1";
  }
}

async function groups() {
  const found = await api("GET", `${HERE}/groups`);
  fill("groups", "no-groups", found.map((group) => el("li", {}, el("div", {}, el("h3", {}, el("a", { href: `#g=${group.group_id}` }, group.name)), group.referral_only ? el("p", { class: "quiet small" }, t("people.referral_only")) : null))), found.length);
}

async function addPartner(event) {
  event.preventDefault();
  const value = (id) => byId(`partner-${id}`).value.trim();
  const body = {
    name: value("name"), level: Number(value("level")), starts_on: value("from"), ends_on: value("to") || null,
    seats: Number(value("seats")) || null, mail: value("mail"), sector: value("sector"), across_sea: byId("partner-across").checked,
  };
  const made = await act(() => api("POST", `${HERE}/partners`, body, { not_possible: t("people.name_taken") }));
  if (!made) {
    byId("partner-problem").replaceChildren(...byId("sentences").childNodes);
    return;
  }
  event.target.reset();
  byId("new").open = false;
  location.hash = `o=${made.organisation.organisation_id}`;
  await route();
  sentence("well", t("people.partner_added", { name: body.name, from: dateOf(body.starts_on) }));
}

async function addPerson(event) {
  event.preventDefault();
  const made = await act(() => api("POST", `${HERE}/people`, { name: byId("person-name").value.trim(), mail: byId("person-mail").value.trim() || null }, { not_possible: t("people.mail_taken") }));
  if (!made) return;
  event.target.reset();
  location.hash = `p=${made.person_id}`;
}

async function route() {
  const [, kind, id] = location.hash.match(/^#([opg])=([\w-]+)$/) ?? [];
  byId("lookup").hidden = Boolean(kind);
  byId("one").hidden = !kind;
  if (!kind) {
    await act(() => Promise.all([refresh(), groups()]));
    return;
  }
  await act(async () => {
    const drawn = await { o: drawHouse, p: drawSomeone, g: drawGroup }[kind](HERE, id);
    byId("one").replaceChildren(el("p", { class: "lead" }, el("a", { href: "#" }, t("people.back"))), ...drawn);
  });
}

let typing = 0;
byId("search").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => act(refresh), 200);
});
byId("partner-from").value = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeZone: page.timezone }).format(new Date());
byId("partner").addEventListener("submit", addPartner);
byId("person-form").addEventListener("submit", addPerson);
byId("file").addEventListener("change", () => act(() => readFile(HERE, byId("file").files[0], () => act(refresh))));
addEventListener("hashchange", () => { byId("sentences").replaceChildren(); route(); });
route();
