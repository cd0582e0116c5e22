// The ladder of memberships: its levels in order, what each asks for and what it gives.

import { el, notice, t } from "./dom.js";

const MOST = 12;
const FREE = "telework_free";

function rung(level, number) {
  const id = (name) => `level-${number}-${name}`;
  const name = el("input", { id: id("name"), type: "text", maxlength: 80, required: true, value: level.name });
  const asks = el("input", { id: id("asks"), type: "text", maxlength: 500, value: level.criteria });
  const free = el("input", { type: "checkbox", checked: level.benefits.includes(FREE) });
  const line = el("li", {}, el("div", { class: "form-grid" },
    el("div", {}, el("label", { for: id("name") }, t("setup.level_name", { n: number })), name),
    el("div", {}, el("label", { for: id("asks") }, t("setup.level_asks")), asks),
    el("div", { class: "choices wide" }, el("label", {}, free, t("setup.level_free")))));
  return { line, read: () => ({ name: name.value.trim(), criteria: asks.value.trim(), benefits: [...level.benefits.filter((one) => one !== FREE), ...(free.checked ? [FREE] : [])] }) };
}

export async function drawLevels({ api, here, doing, may }) {
  const ladder = await api("GET", `${here}/ladder`);
  const said = el("p", { class: "lead" }, t("setup.levels_said"));
  if (!may) return [said, el("ol", { class: "list" }, ...ladder.map((one) => el("li", {}, el("div", {}, el("h3", {}, `${one.position}. ${one.name}`), el("p", { class: "quiet small" }, one.criteria)))))];
  const rungs = (ladder.length ? ladder : [{ name: "", criteria: "", benefits: [] }]).map((one, number) => rung(one, number + 1));
  const list = el("ol", { class: "list", id: "rungs" }, ...rungs.map(({ line }) => line));
  const more = () => {
    if (rungs.length >= MOST) return;
    rungs.push(rung({ name: "", criteria: "", benefits: [] }, rungs.length + 1));
    list.append(rungs.at(-1).line);
    rungs.at(-1).line.querySelector("input").focus();
  };
  const fewer = () => rungs.length > 1 && rungs.pop().line.remove();
  return [said,
    ladder.length ? null : notice("plain", t("setup.no_levels")),
    el("form", { id: "ladder-form", onsubmit: (event) => {
      event.preventDefault();
      doing(() => api("PUT", `${here}/ladder`, { levels: rungs.map(({ read }) => read()) }), t("setup.saved"));
    } }, list,
    el("p", { class: "pair lead" }, el("button", { type: "button", onclick: more }, t("setup.level_more")), el("button", { type: "button", class: "plain", onclick: fewer }, t("setup.level_fewer"))),
    el("p", { class: "lead" }, el("button", { class: "primary" }, t("setup.save")))),
    el("p", { class: "quiet small lead" }, t("setup.levels_where"), " ", el("a", { href: "/people" }, t("setup.levels_people")))].filter(Boolean);
}
