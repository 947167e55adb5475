// The audits of GraphQL over HTTP by its authors: every MUST, SHOULD and MAY.

import assert from "node:assert/strict";
import { serverAudits } from "graphql-http";
import { SERVER } from "./harness.mjs";

const audits = serverAudits({ url: SERVER, fetchFn: fetch });
const failed = [];
for (const audit of audits) {
  const { id, name, status, reason } = await audit.fn();
  if (status !== "ok") failed.push({ id, name, status, reason });
}
assert.deepEqual(failed, []);
// As many as there are: a later version may bring others, and fewer would prove less.
assert.equal(audits.length, 61);
