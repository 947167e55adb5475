// GraphQL Code Generator, on the SDL and on what introspection says, and strict TypeScript on what it makes.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { generate } from "@graphql-codegen/cli";
import { SERVER } from "./harness.mjs";

const made = new Map();
// Its own fetch asks for zstd, which Node reads from 22 on.
const served = { [SERVER]: { headers: { "accept-encoding": "gzip" } } };
for (const schema of ["../../schema.graphql", served]) {
  rmSync("typed/generated", { recursive: true, force: true });
  const config = {
    schema,
    documents: ["typed/app.graphql"],
    generates: {
      "typed/generated/": {
        preset: "client",
        config: { scalars: { DateTime: "string" }, useTypeImports: true, enumsAsTypes: true },
        presetConfig: { fragmentMasking: false },
      },
    },
    importExtension: ".js",
    silent: true,
  };
  await generate(config, true);
  execFileSync("node_modules/.bin/tsc", ["--project", "typed"], { stdio: "inherit" });
  made.set(schema, readFileSync("typed/generated/graphql.ts", "utf8"));
}
const [sdl, introspection] = [...made.values()];
assert.equal(sdl, introspection, "the schema that is published is the one that is served");
