// Chromium as a person has it, and what it complains of.

import { chromium } from "playwright-core";

/** Debian's name for it, and others'. */
const PROGRAM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** In milliseconds: what should come comes sooner, also on a machine that does much else. */
const PATIENCE = 240_000;

const launch = (chromiumSandbox) => chromium.launch({ executablePath: PROGRAM, chromiumSandbox, timeout: PATIENCE });

/** Runs `work`, which gets visitors by asking for them: they share nothing. Gives what there was to complain of. */
export async function browse(origin, work) {
  // Root may not have the sandbox, and others not in most containers.
  const isRoot = process.getuid() === 0;
  const browser = isRoot ? await launch(false) : await launch(true).catch(() => launch(false));
  const complaints = [];
  try {
    await work(async () => {
      const context = await browser.newContext();
      context.setDefaultTimeout(PATIENCE);
      // Inside of the page, where a violation is told whether or not it is written to the console.
      await context.addInitScript(() => {
        addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
          console.error(`policy: ${violatedDirective} ${blockedURI}`),
        );
      });
      context.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text());
      });
      context.on("weberror", (error) => complaints.push(String(error.error())));
      context.on("request", (request) => {
        const url = new URL(request.url());
        if (url.origin !== origin && url.protocol !== "data:") complaints.push(`asks elsewhere: ${url}`);
      });
      return context;
    });
  } finally {
    await browser.close();
  }
  return complaints;
}
