// One organisation, one person, one group: what they are, what happened, and what can be done.

import { ApiError, api, ask, byId, clock, el, notice, page, t } from "./dom.js";
import { dateOf } from "./dates.js";

const day = (seconds) => clock(seconds, { year: "numeric", month: "long", day: "numeric" });
const button = (text, work, weight = "") => el("button", { type: "button", class: weight, onclick: () => doing(work) }, text);

async function doing(work) {
  try {
    if (await work() === false) return;
    dispatchEvent(new HashChangeEvent("hashchange"));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    byId("sentences").replaceChildren(notice("fault", error.message));
  }
}

const fact = (name, ...value) => [el("dt", {}, name), el("dd", {}, ...value)];
const block = (heading, ...parts) => el("section", { class: "block" }, el("h2", {}, heading), ...parts);

// ---- an organisation --------------------------------------------------------------------------------------------

export async function drawHouse(here, id) {
  const house = await api("GET", `${here}/organisations/${id}`);
  const code = await api("GET", `${here}/organisations/${id}/code`).catch(() => null);
  const { organisation } = house;
  const across = el("input", { type: "checkbox", id: "across", checked: organisation.across_sea, onchange: (event) => doing(() => api("PUT", `${here}/organisations/${id}/across`, { across_sea: event.target.checked })) });
  return [
    el("h2", { class: "big" }, organisation.name),
    el("dl", { class: "facts" }, ...(organisation.sector ? fact(t("people.sector"), organisation.sector) : [])),
    el("div", { class: "choices lead" }, el("label", {}, across, t("people.across"))),
    drawLadder(here, { ...house, whose: { organisation_id: id } }),
    block(t("people.agreement"), agreements(here, house)),
    block(t("people.staff"), staff(here, house)),
    block(t("people.code"), ...codeOf(here, id, code)),
  ];
}

function drawLadder(here, { membership, steps, ladder, names, whose }) {
  const level = membership?.level ?? 0;
  const named = (position) => ladder.find((one) => one.position === position)?.name ?? String(position);
  const open = steps.find((step) => !step.taken_at && !step.withdrawn_at);
  const rungs = el("ol", { class: "ladder", id: "ladder" }, ...ladder.map(({ position, name }) => el("li", { class: position <= level ? "reached" : "", "aria-current": position === level ? "step" : false }, `${position}. ${name}`)));
  const who = (by) => names[by] ?? t("people.by_office");
  const history = el("ul", { class: "list" }, ...steps.filter(({ taken_at: at }) => at).map((step) => el("li", {}, el("div", {},
    el("p", {}, t("people.step_taken", { to: named(step.to_level), day: day(step.taken_at) })),
    el("p", { class: "quiet small" }, [step.evidence, step.party_by?.startsWith("agreement:") ? t("people.by_agreement") : t("people.confirmed_by", { city: who(step.city_by), party: who(step.party_by) })].filter(Boolean).join(t("people.dot")))))));
  const why = el("input", { id: "step-why", type: "text", maxlength: 500, placeholder: ladder[level]?.criteria ?? "" });
  const propose = level < ladder.length && !open ? [
    el("label", { for: "step-why" }, t("people.step_why")), why,
    button(t("people.propose", { name: ladder[level].name }), async () => {
      const its = membership ?? await api("POST", `${here}/memberships`, whose);
      const step = await api("POST", `${here}/memberships/${its.membership_id}/steps`, { to_level: level + 1, evidence: why.value.trim() });
      await api("POST", `${here}/steps/${step.step_id}/confirm`, { side: "city" });
    })] : [];
  const waiting = open ? [
    notice("attention", open.city_at ? t("people.waits_party", { to: named(open.to_level) }) : t("people.waits_city", { to: named(open.to_level) })),
    el("div", { class: "pair" },
      open.city_at ? null : button(t("people.confirm_city"), () => api("POST", `${here}/steps/${open.step_id}/confirm`, { side: "city" })),
      button(t("people.withdraw"), () => api("DELETE", `${here}/steps/${open.step_id}`), "plain"))] : [];
  return block(t("people.ladder"), ladder.length ? rungs : el("p", { class: "quiet" }, t("people.no_ladder")), ...waiting, propose.length ? el("div", { class: "stack lead narrow" }, ...propose) : "", history.children.length ? history : "");
}

function agreements(here, house) {
  if (!house.agreements.length) return el("p", { class: "quiet" }, t("people.no_agreement"));
  return el("ul", { class: "list" }, ...house.agreements.map((one) => {
    const last = el("input", { type: "date", value: one.ends_on ?? "", "aria-label": t("people.to") });
    const seats = one.seats ? t("people.seats_n", { n: one.seats }) : t("people.seats_any");
    return el("li", {}, el("div", {}, el("p", { class: "figures" }, one.ends_on ? t("people.from_to", { from: dateOf(one.starts_on), to: dateOf(one.ends_on) }) : t("people.from_on", { from: dateOf(one.starts_on) })), el("p", { class: "quiet small" }, seats)),
      el("div", { class: "pair" }, last, button(t("people.set_end"), () => last.value ? api("PUT", `${here}/agreements/${one.agreement_id}/end`, { ends_on: last.value }) : false)));
  }));
}

function staff(here, { staff: people, organisation }) {
  if (!people.length) return el("p", { class: "quiet" }, t("people.no_staff"));
  return el("ul", { class: "list" }, ...people.map((person) => el("li", {},
    el("div", {}, el("p", {}, el("a", { href: `#p=${person.person_id}` }, person.name)), el("p", { class: "quiet small" }, person.mail ?? "")),
    button(t("people.leave"), async () => {
      if (!await ask(t("people.leave_ask", { name: person.name }), t("people.leave_no"), t("people.leave_yes"))) return false;
      return api("DELETE", `${here}/organisations/${organisation.organisation_id}/staff/${person.person_id}`);
    }, "plain"))));
}

function codeOf(here, id, code) {
  const place = el("div", { class: "stack", id: "code-shown" });
  const give = async () => {
    const made = await api("POST", `${here}/organisations/${id}/code`, {});
    place.replaceChildren(notice("plain", t("people.code_once")), el("p", { class: "secret" }, made.code));
    return false;
  };
  return [
    el("p", { class: "quiet" }, code ? t("people.code_until", { day: day(code.expires_at) }) : t("people.code_none")),
    place,
    el("p", { class: "lead pair" }, button(code ? t("people.code_new") : t("people.code_give"), give), code ? button(t("people.code_end"), () => api("DELETE", `${here}/organisations/${id}/code`), "plain") : null),
  ];
}

// ---- a person ---------------------------------------------------------------------------------------------------

const GIVEN = ["staff", "facilitator", "teacher", "partner_staff", "administrator"];
export const ROLE = {
  administrator: () => t("people.role_administrator"),
  staff: () => t("people.role_staff"),
  facilitator: () => t("people.role_facilitator"),
  teacher: () => t("people.role_teacher"),
  member: () => t("people.role_member"),
  partner_staff: () => t("people.role_partner_staff"),
  guest: () => t("people.role_guest"),
};
const CROSSES = [["", () => t("people.as_house")], ["true", () => t("people.across")], ["false", () => t("people.not_across")]];

export async function drawSomeone(here, id) {
  const { person, organisations, roles, groups } = await api("GET", `${here}/people/${id}/all`);
  const [ladder, all] = await Promise.all([api("GET", `${here}/ladder`), api("GET", `${here}/memberships`)]);
  const membership = all.find((one) => one.person_id === id && !one.ended_at) ?? null;
  const steps = membership ? await api("GET", `${here}/memberships/${membership.membership_id}/steps`) : [];
  const across = el("select", { id: "person-across", onchange: (event) => doing(() => api("PUT", `${here}/people/${id}/across`, { across_sea: event.target.value === "" ? null : event.target.value === "true" })) },
    ...CROSSES.map(([value, text]) => el("option", { value, selected: String(person.across_sea ?? "") === value }, text())));
  const choice = el("select", { id: "role" }, ...GIVEN.map((role) => el("option", { value: role }, ROLE[role]())));
  return [
    el("h2", { class: "big" }, person.name),
    el("dl", { class: "facts" },
      ...(person.mail ? fact(t("people.mail"), person.mail) : []),
      ...fact(t("people.organisations"), ...(organisations.length ? organisations.map((one) => el("a", { href: `#o=${one.organisation_id}` }, one.name, " ")) : [t("people.none_short")]))),
    el("p", { class: "lead narrow" }, el("label", { for: "person-across" }, t("people.sea")), across),
    ladder.length ? drawLadder(here, { membership, steps, ladder, names: { [id]: person.name }, whose: { person_id: id } }) : "",
    block(t("people.roles"),
      el("ul", { class: "list" }, ...roles.map((one) => el("li", {}, el("p", {}, ROLE[one.role]?.() ?? one.role), page.kind === "administrator" ? button(t("people.take_role"), () => api("DELETE", `${here}/roles/${one.grant_id}`), "plain") : ""))),
      page.kind === "administrator" ? el("p", { class: "pair lead" }, el("label", { for: "role", class: "visually-hidden" }, t("people.roles")), choice, button(t("people.give_role"), () => api("POST", `${here}/people/${id}/roles`, { role: choice.value }))) : ""),
    groups.length ? block(t("people.groups"), el("ul", { class: "list" }, ...groups.map(([name, role]) => el("li", {}, el("p", {}, name), el("p", { class: "quiet small" }, ROLE[role]?.() ?? role))))) : "",
    block(t("people.forget"), el("p", { class: "quiet small" }, t("people.forget_said")), button(t("people.forget"), async () => {
      if (!await ask(t("people.forget_ask", { name: person.name }), t("people.leave_no"), t("people.forget"))) return false;
      await api("DELETE", `${here}/people/${id}`);
      location.hash = "";
      return false;
    }, "ends")),
  ];
}

// ---- a group ----------------------------------------------------------------------------------------------------

export async function drawGroup(here, id) {
  const [group, branches] = await Promise.all([api("GET", `${here}/groups/${id}`), api("GET", `${here}/groups/${id}/tree`)]);
  const root = el("ul", { class: "tree" });
  const at = [root];
  for (const one of branches) {
    const under = el("ul");
    at[one.depth].append(el("li", {}, el("a", { href: `#p=${one.person_id}` }, one.name), el("span", { class: "quiet small" }, ` ${[ROLE[one.role]?.(), day(one.joined_at)].filter(Boolean).join(t("people.dot"))}`),
      button(t("people.take_out"), async () => {
        if (!await ask(t("people.take_out_ask", { name: one.name }), t("people.leave_no"), t("people.leave_yes"))) return false;
        return api("DELETE", `${here}/groups/${id}/members/${one.person_id}`);
      }, "plain"), under));
    at[one.depth + 1] = under;
  }
  return [
    el("h2", { class: "big" }, group.name),
    el("p", { class: "quiet" }, group.referral_only ? t("people.referral_only") : t("people.open_group")),
    block(t("people.tree"), branches.length ? root : el("p", { class: "quiet" }, t("people.none"))),
  ];
}
