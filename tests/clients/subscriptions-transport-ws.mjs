// The protocol before graphql-ws, with its client, as older apps for the web and for mobiles still bring it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { SubscriptionClient } from "subscriptions-transport-ws";
import ws from "ws";
import { FOLLOW } from "./conversation.mjs";
import { CONVERSATION, SERVER } from "./harness.mjs";
import { ask, signIn } from "./session.mjs";

const authorization = await (await signIn()).authorization();
const connectionParams = { Authorization: authorization };
const client = new SubscriptionClient(SERVER.replace("http", "ws"), { reconnect: true, connectionParams }, ws);

const SEND = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { seq } } }";
const say = (content) =>
  ask(SEND, { input: { conversationId: CONVERSATION, content, clientKey: crypto.randomUUID() } }, authorization);

// Queries run on it, too.
const query = { query: "query Who { viewer { user { username } } }" };
const who = await new Promise((next, error) => client.request(query).subscribe({ next, error }));
assert.equal(who.data.viewer.user.username, "bob");
const wrong = await new Promise((next, error) => client.request({ query: "{ nothing }" }).subscribe({ next, error })).catch(
  (error) => error,
);
assert.match(JSON.stringify(wrong.errors ?? wrong), /GRAPHQL_VALIDATION_FAILED/);

// Cut off, it goes on where it was: it sends its operations anew, with the variables as they are then.
const { conversation } = await ask("query($id: ID!) { conversation(id: $id) { seq } }", { id: CONVERSATION }, authorization);
const variables = { id: CONVERSATION, after: conversation.seq };
const heard = [];
const { promise, resolve, reject } = Promise.withResolvers?.() ?? deferred();
client.request({ query: FOLLOW, variables }).subscribe({
  next({ data: { conversationEvents: batch } }) {
    variables.after = batch.seq;
    heard.push(...batch.events.map(({ message }) => message.content));
    if (heard.at(-1) === "one" && heard.length === 1) client.close(false, false);
    if (heard.at(-1) === "two") resolve();
  },
  error: reject,
});
await say("one");
await once(client.eventEmitter, "reconnected");
await say("two");
await promise;
assert.deepEqual(heard, ["one", "two"]);
client.close();

/** For Node before 22. */
function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
