// An app as most are built: queries and mutations over HTTP, subscriptions over a socket, and a cache that keeps each
// thing once, by its type and id: `node app.mjs apollo` or `urql`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { buildSchema, introspectionFromSchema } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { CONVERSATION, SERVER } from "./harness.mjs";
import { signIn } from "./session.mjs";

const OPEN = gql`
  query Open($id: ID!) {
    conversation(id: $id) {
      id
      messages(last: 50) {
        seq
        edges { cursor node { id content version } }
      }
    }
  }
`;
const SEND = gql`
  mutation Send($input: SendMessageInput!) {
    sendMessage(input: $input) {
      timelineEdge { cursor node { id content version } }
    }
  }
`;
const EDIT = gql`
  mutation Edit($input: EditMessageInput!) {
    editMessage(input: $input) {
      message { id content version }
    }
  }
`;
const FOLLOW = gql`
  subscription Follow($id: ID!, $after: Int!) {
    conversationEvents(conversationId: $id, after: $after) {
      seq
      events {
        __typename
        ... on MessageEditedEvent { message { id content version } }
      }
    }
  }
`;

// Apollo's link asks for it by this name. Browsers have it, and Node from 22 on.
globalThis.WebSocket ??= WebSocket;

const authorization = await (await signIn()).authorization();
const headers = { authorization };
const socket = createClient({
  url: SERVER.replace("http", "ws"),
  webSocketImpl: WebSocket,
  connectionParams: { authorization },
});

/** What both clients are asked to do, each in its words; errors come as lists of codes. */
const app = {
  apollo() {
    const client = new ApolloClient({
      link: ApolloLink.split(
        ({ operationType }) => operationType === "subscription",
        new GraphQLWsLink(socket),
        new HttpLink({ uri: SERVER, headers }),
      ),
      cache: new InMemoryCache(),
    });
    const codes = (error) => {
      if (!CombinedGraphQLErrors.is(error)) throw error;
      return error.errors.map(({ extensions }) => extensions.code);
    };
    return {
      watch: (query, variables, show) =>
        client
          .watchQuery({ query, variables })
          .subscribe(({ data, dataState }) => dataState === "complete" && show(data)),
      mutate: (mutation, variables) =>
        client
          .mutate({
            mutation,
            variables,
            // What is new goes to the end of the list; what has changed finds its place by itself.
            update(cache, { data }) {
              const edge = data.sendMessage?.timelineEdge;
              if (!edge) return;
              cache.updateQuery({ query: OPEN, variables: { id: CONVERSATION } }, ({ conversation }) => {
                const messages = { ...conversation.messages, edges: [...conversation.messages.edges, edge] };
                return { conversation: { ...conversation, messages } };
              });
            },
          })
          .then(({ data }) => ({ data }), (error) => ({ codes: codes(error) })),
      subscribe: (query, variables, hear) =>
        client
          .subscribe({ query, variables })
          .subscribe(({ data, error }) => hear(error ? { codes: codes(error) } : { data })),
    };
  },

  urql() {
    const client = new Client({
      url: SERVER,
      preferGetMethod: false,
      fetchOptions: { headers },
      exchanges: [
        cacheExchange({
          schema: introspectionFromSchema(buildSchema(readFileSync("../../schema.graphql", "utf8"))),
          // Parts of something else, which have no id of their own.
          keys: {
            MessageConnection: () => null,
            MessageEdge: () => null,
            ConversationEventBatch: () => null,
            MessageEditedEvent: () => null,
          },
          updates: {
            Mutation: {
              sendMessage({ sendMessage }, _, cache) {
                if (!sendMessage) return;
                cache.updateQuery({ query: OPEN, variables: { id: CONVERSATION } }, (data) => {
                  data.conversation.messages.edges.push(sendMessage.timelineEdge);
                  return data;
                });
              },
            },
          },
        }),
        fetchExchange,
        subscriptionExchange({
          forwardSubscription: (request) => ({
            subscribe: (sink) => ({ unsubscribe: socket.subscribe(request, sink) }),
          }),
        }),
      ],
    });
    const outcome = ({ data, error }) => {
      if (!error) return { data };
      if (error.networkError) throw error.networkError;
      return { codes: error.graphQLErrors.map(({ extensions }) => extensions.code) };
    };
    return {
      watch: (query, variables, show) => client.query(query, variables).subscribe(({ data }) => show(data)),
      mutate: async (mutation, variables) => outcome(await client.mutation(mutation, variables)),
      subscribe: (query, variables, hear) =>
        client.subscription(query, variables).subscribe((result) => hear(outcome(result))),
    };
  },
}[process.argv[2]]();

/** The next of what comes, and those after it. */
function inbox() {
  const [waiting, come] = [[], []];
  return {
    put: (what) => (waiting.length ? waiting.shift()(what) : come.push(what)),
    next: () => (come.length ? Promise.resolve(come.shift()) : new Promise((resolve) => waiting.push(resolve))),
    async until(matches) {
      for (;;) {
        const what = await this.next();
        if (matches(what)) return what;
      }
    },
  };
}

const contents = (data) => data.conversation.messages.edges.map(({ node }) => node.content);
const shown = inbox();
const heard = inbox();
const send = (content, clientKey = crypto.randomUUID()) =>
  app.mutate(SEND, { input: { conversationId: CONVERSATION, content, clientKey } });

const id = CONVERSATION;
app.watch(OPEN, { id }, shown.put);
const { conversation } = await shown.next();
assert.deepEqual(conversation.messages.edges, []);

// What was sent is shown, without asking for the list again.
const { data: sent } = await send("sad", "the key of this");
await shown.until((data) => contents(data).join() === "sad");

// A stream is live when its first batch has come; an edit changes what is shown by the message's id, from whichever of
// the two it comes first.
app.subscribe(FOLLOW, { id, after: conversation.messages.seq }, heard.put);
await heard.next();
const message = sent.sendMessage.timelineEdge.node;
const { data: edited } = await app.mutate(EDIT, { input: { messageId: message.id, content: "said" } });
assert.equal(edited.editMessage.message.id, message.id);
await shown.until((data) => contents(data).join() === "said");
await heard.until(({ data }) => data.conversationEvents.events.some((event) => event.message?.content === "said"));

// Edited elsewhere: the stream alone tells, and the list shows it.
await fetch(SERVER, {
  method: "POST",
  headers: { ...headers, "content-type": "application/json" },
  body: JSON.stringify({
    query: "mutation($input: EditMessageInput!) { editMessage(input: $input) { message { id } } }",
    variables: { input: { messageId: message.id, content: "said elsewhere" } },
  }),
});
await shown.until((data) => contents(data).join() === "said elsewhere");

// Errors have their codes, in either way, and of whatever kind.
assert.deepEqual((await send("other", "the key of this")).codes, ["IDEMPOTENCY_KEY_REUSED"]);
assert.deepEqual((await send("")).codes, ["BAD_USER_INPUT"]);
assert.deepEqual((await app.mutate(gql`mutation { nothing }`, {})).codes, ["GRAPHQL_VALIDATION_FAILED"]);
const refused = inbox();
app.subscribe(FOLLOW, { id: message.id, after: 0 }, refused.put);
assert.deepEqual((await refused.next()).codes, ["BAD_USER_INPUT"]);

process.exit();
