// What may be lost, and where: a site's board is short of disk.

import { t } from "./dom.js";

/** [weight, sentence] per site, as the hub gives them in `at_risk`. */
export const diskSentences = (atRisk = []) => atRisk.map(({ site_name: site, disk }) =>
  ["attention", disk === "full" ? t("disk.full", { site }) : t("disk.near", { site })]);
