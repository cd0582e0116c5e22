// Ways in: name and password, an organisation's code, a link by mail, a class's code. What was used here last is open.

import { api, byId, notice, t } from "./dom.js";

const LAST = "shimawa.way";
const WAYS = ["password", "organisation", "mail", "class"];

/** Where the visitor wanted to go: a path of this hub, never another site. */
function wanted() {
  const next = new URL(new URLSearchParams(location.search).get("next") ?? "/", location.origin);
  return next.origin === location.origin ? next.href : "/"; // whole: a path alone can begin with two slashes
}

const say = (weight, text) => byId("problem").replaceChildren(notice(weight, text));

function open(way) {
  for (const one of WAYS) byId(`way-${one}`).open = one === way;
}

function remember(way) {
  try {
    localStorage.setItem(LAST, way);
  } catch {
    // a browser that keeps nothing opens the first way again
  }
}

function send(form, way, work) {
  byId(form).addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = byId(form).querySelector("button");
    button.disabled = true;
    try {
      if ((await work()) === false) return;
      remember(way);
      location.replace(wanted());
    } catch (error) {
      say("attention", error.message);
      const again = byId(form).querySelector("input[type=password], .code, input");
      if (again.type === "password") again.value = "";
      again.focus();
    } finally {
      button.disabled = false;
    }
  });
}

send("login-form", "password", () => api("POST", "/api/login", { name: byId("name").value, password: byId("password").value }, { not_signed_in: t("login.wrong") }));

send("organisation-form", "organisation", () => api("POST", "/api/login/organisation", { code: byId("organisation-code").value, name: byId("organisation-name").value.trim() }, { not_signed_in: t("login.organisation_wrong") }));

send("class-form", "class", () => api("POST", "/api/class/enter", { code: byId("class-code").value, display_name: byId("class-name").value.trim() }, { not_signed_in: t("login.class_wrong") }));

send("mail-form", "mail", async () => {
  await api("POST", "/api/login/link", { mail: byId("mail").value.trim() });
  remember("mail");
  say("well", t("login.sent"));
  return false; // the letter leads on
});

/** `#code` comes from a letter; `#organisation=code` from an organisation's own notice or QR code. */
async function fromFragment() {
  const fragment = decodeURIComponent(location.hash.slice(1));
  if (!fragment) return false;
  history.replaceState(null, "", location.pathname + location.search);
  const organisation = /^organisation=(.+)$/.exec(fragment)?.[1];
  if (organisation) {
    open("organisation");
    byId("organisation-code").value = organisation;
    byId("organisation-name").focus();
    return true;
  }
  try {
    await api("POST", "/api/login/link/enter", { code: fragment });
    location.replace(wanted());
  } catch (error) {
    open("mail");
    say("attention", error.status === 401 ? t("login.link_old") : error.message);
  }
  return true;
}

if (!(await fromFragment())) {
  const last = localStorage.getItem(LAST);
  if (WAYS.includes(last)) open(last);
  document.querySelector(".ways details[open] input")?.focus();
}
