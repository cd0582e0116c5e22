// Sign in.

import { api, byId, notice } from "./dom.js";

byId("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  button.disabled = true;
  try {
    await api("POST", "/api/login", { name: byId("name").value, password: byId("password").value });
    location.replace("/");
  } catch (error) {
    byId("problem").replaceChildren(notice("attention", error.message));
    byId("password").value = "";
    byId("password").focus();
  } finally {
    button.disabled = false;
  }
});
