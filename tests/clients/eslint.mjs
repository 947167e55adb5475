// The rules of graphql-eslint: for schemas, Relay's among them, and for the operations of an app.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import plugin from "@graphql-eslint/eslint-plugin";
import { Linter } from "eslint";

const SDL = resolve("../../schema.graphql");
const APP = resolve("typed/app.graphql");

/** How the rules are meant here, and why. */
const ours = {
  // Short ones stand on a line, others in a block: how an SDL is printed says nothing of the schema.
  "@graphql-eslint/description-style": "off",
  // `Pin.pinnedAt` and `User.username` are words of their own.
  "@graphql-eslint/no-typename-prefix": "off",
  // Lists that are short by nature, such as the reactions to a message, are no connections.
  "@graphql-eslint/relay-edge-types": ["error", { listTypeCanWrapOnlyEdgeType: false }],
  // Values that are part of something else, and are found by nothing but that.
  "@graphql-eslint/strict-id-in-types": [
    "error",
    {
      exceptions: {
        suffixes: ["Payload", "Event", "Edge", "Connection", "Batch", "Signal", "Permissions", "Preferences"],
        types: [
          "Admin",
          "ConversationCatchUp",
          "CustomStatus",
          "Mention",
          "OAuthProvider",
          "PageInfo",
          "Pin",
          "Presence",
          "QuietHours",
          "ReactionGroup",
          "RejectedMember",
          "SecondFactor",
          "Server",
          "ServerLimits",
          "SessionTokens",
          "ThreadViewerState",
          "UnreadSummary",
        ],
      },
    },
  ],
};
/** What is around an anchor has two sides and no pages; its cursors go on in the list of all. */
const isAround = (line) => /^\s*(messages|replies)Around\(/.test(line);

function lint(file, config, meant = {}) {
  const text = readFileSync(file, "utf8");
  const found = new Linter({ configType: "flat", cwd: "/" }).verify(
    text,
    {
      files: ["**/*.graphql"],
      languageOptions: {
        parser: plugin.parser,
        parserOptions: { graphQLConfig: { schema: SDL, documents: APP } },
      },
      plugins: { "@graphql-eslint": plugin },
      rules: { ...config.rules, ...meant },
    },
    { filename: file },
  );
  return found
    .filter(({ ruleId, line }) => !(ruleId?.endsWith("relay-arguments") && isAround(text.split("\n")[line - 1])))
    .map(({ line, ruleId, message }) => `${file}:${line} ${ruleId}: ${message}`);
}

const { "flat/schema-recommended": schema, "flat/schema-relay": relay, "flat/operations-recommended": app } = plugin.configs;
assert.deepEqual(lint(SDL, { rules: { ...schema.rules, ...relay.rules } }, ours), []);
assert.deepEqual(lint(APP, app), []);
