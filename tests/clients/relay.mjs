// Relay: its compiler reads the SDL, and its runtime keeps what the operations made of it bring.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createClient } from "graphql-ws";
import relay from "relay-runtime";
import WebSocket from "ws";
import { CONVERSATION, SERVER } from "./harness.mjs";
import { signIn } from "./session.mjs";

const { Environment, Network, Observable, RecordSource, Store } = relay;
const { commitMutation, createOperationDescriptor, fetchQuery, getRequest, getSingularSelector, requestSubscription } =
  relay;

rmSync("relay/__generated__", { recursive: true, force: true });
mkdirSync("relay/__generated__");
execFileSync("node_modules/.bin/relay-compiler", ["relay.config.json"], { stdio: ["ignore", "ignore", "inherit"] });
const generated = (name) => createRequire(import.meta.url)(`./relay/__generated__/${name}.graphql.js`);
const [open, messages, more, send, follow] = [
  "roomOpenQuery",
  "room_messages",
  "roomMessagesPaginationQuery",
  "roomSendMutation",
  "roomFollowSubscription",
].map(generated);

const authorization = await (await signIn()).authorization();
const socket = createClient({
  url: SERVER.replace("http", "ws"),
  webSocketImpl: WebSocket,
  connectionParams: { authorization },
});
const environment = new Environment({
  store: new Store(new RecordSource()),
  network: Network.create(
    async ({ text }, variables) => {
      const headers = { "content-type": "application/json", authorization };
      const body = JSON.stringify({ query: text, variables });
      return (await fetch(SERVER, { method: "POST", headers, body })).json();
    },
    ({ text }, variables) =>
      Observable.create((sink) => socket.subscribe({ query: text, variables }, sink)),
  ),
});

const say = (content) =>
  new Promise((resolve, reject) => {
    const input = { conversationId: CONVERSATION, content, clientKey: crypto.randomUUID() };
    commitMutation(environment, { mutation: send, variables: { input }, onCompleted: resolve, onError: reject });
  });
/** What the app shows, as the store has it. */
const shown = (data) => {
  const selector = getSingularSelector(messages, data);
  const { data: fragment } = environment.lookup(selector);
  return fragment.messages.edges.map(({ node }) => node.content);
};

for (const content of ["one", "two", "three", "four"]) await say(content);
const operation = createOperationDescriptor(getRequest(open), { id: CONVERSATION });
const kept = environment.retain(operation);
await fetchQuery(environment, open, { id: CONVERSATION }).toPromise();
const { conversation } = environment.lookup(operation.fragment).data;
assert.deepEqual(shown(conversation), ["three", "four"]);

// Scrolling up, by the cursor that the connection keeps.
const { data: page } = environment.lookup(getSingularSelector(messages, conversation));
assert.equal(page.messages.pageInfo.hasPreviousPage, true);
const older = { id: conversation.id, count: 2, before: page.messages.pageInfo.startCursor };
await fetchQuery(environment, more, older).toPromise();
assert.deepEqual(shown(conversation), ["one", "two", "three", "four"]);

// Live.
const heard = new Promise((resolve, reject) => {
  requestSubscription(environment, {
    subscription: follow,
    variables: { id: CONVERSATION },
    onNext({ conversationEvents: { events } }) {
      for (const { message } of events) resolve(message.content);
      if (events.length === 0) say("five");
    },
    onError: reject,
  });
});
assert.equal(await heard, "five");

kept.dispose();
await socket.dispose();
process.exit();
