// Persisted queries over GET, by the hash of the document: `node persisted.mjs apollo` or `urql`.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { Client, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { SERVER } from "./harness.mjs";
import { signIn } from "./session.mjs";

const authorization = await (await signIn()).authorization();
const headers = { authorization };

/** What left, and what came: method, whether the document was in it, and the status. */
const sent = [];
async function watched(url, options) {
  const response = await fetch(url, options);
  const carries = options.method === "GET" ? String(url) : options.body;
  sent.push(`${options.method} ${/[?&"]query[="]/.test(carries) ? "document" : "hash"} ${response.status}`);
  return response;
}

// A document that this server has never seen.
const name = `Persisted${Date.now()}`;
const query = (field) => `query ${name} { viewer { ${field} user { username } } }`;

const ask = {
  apollo() {
    const sha256 = (text) => createHash("sha256").update(text).digest("hex");
    const client = new ApolloClient({
      link: new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(
        new HttpLink({ uri: SERVER, headers, fetch: watched }),
      ),
      cache: new InMemoryCache(),
      defaultOptions: { query: { fetchPolicy: "no-cache" } },
    });
    return async (text) => (await client.query({ query: gql(text) })).data;
  },
  urql() {
    const client = new Client({
      url: SERVER,
      fetch: watched,
      fetchOptions: { headers },
      requestPolicy: "network-only",
      exchanges: [persistedExchange({ preferGetForPersistedQueries: true }), fetchExchange],
    });
    return async (text) => {
      const { data, error } = await client.query(text, {});
      if (error) throw error;
      return data;
    };
  },
}[process.argv[2]]();

for (let times = 0; times < 2; times++) {
  const data = await ask(query("id"));
  assert.equal(data.viewer.user.username, "bob");
}
// Its name is unknown once, then it is enough.
assert.equal(sent[0], "GET hash 200");
assert.match(sent[1], /^(POST|GET) document 200$/);
assert.deepEqual(sent.slice(2), ["GET hash 200"]);
