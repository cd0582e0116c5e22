// Signing out, on every page that has a menu. The menu itself needs no script.

import { api, byId } from "./dom.js";

byId("logout")?.addEventListener("click", async () => {
  await api("POST", "/api/logout").catch(() => null); // signed out elsewhere already: the login page says so
  location.assign("/login");
});
