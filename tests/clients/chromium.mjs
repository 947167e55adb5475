// Chromium as a person has it, and what it complains of.

import { chromium } from "playwright-core";

/** Debian's name for it, and others'. */
const PROGRAM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Runs `work` with a page for each of the visitors, who share nothing; gives what went wrong in any of them. */
export async function browse(origin, work) {
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    // Root, as in a container, may not have the sandbox.
    chromiumSandbox: process.getuid() !== 0,
  });
  const complaints = [];
  try {
    await work(async () => {
      const context = await browser.newContext();
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
