// What has changed in the schema since the last release, by GraphQL Inspector: nothing that apps could break on, unless it
// is said here.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

/** Breaks that are meant, each with its reason, by the path that Inspector gives. Emptied at each release. */
const MEANT = {};

const [released, present] = ["../../schema.released.graphql", "../../schema.graphql"].map((file) =>
  buildSchema(readFileSync(file, "utf8")),
);
const changes = await diff(released, present);
const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
assert.deepEqual(
  breaking.filter(({ path }) => !(path in MEANT)).map(({ message }) => message),
  [],
);
assert.deepEqual(
  Object.keys(MEANT).filter((path) => !breaking.some((change) => change.path === path)),
  [],
  "what does not break need not be meant",
);
