// Sign in.

import { api, byId, notice, t } from "./dom.js";

/** Where the visitor wanted to go: a path of this hub, never another site. */
function wanted() {
  const next = new URL(new URLSearchParams(location.search).get("next") ?? "/", location.origin);
  return next.origin === location.origin ? next.href : "/"; // whole: a path alone can begin with two slashes
}

byId("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  button.disabled = true;
  try {
    await api("POST", "/api/login", { name: byId("name").value, password: byId("password").value }, { not_signed_in: t("login.wrong") });
    location.replace(wanted());
  } catch (error) {
    byId("problem").replaceChildren(notice("attention", error.message));
    byId("password").value = "";
    byId("password").focus();
  } finally {
    button.disabled = false;
  }
});
