// A graphql-ws client as an app sets it up that is meant to stay connected.

import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { SERVER, soon, tell } from "./harness.mjs";
import { SessionOver } from "./session.mjs";

export function connect(session) {
  let timeout;
  const client = createClient({
    url: SERVER.replace("http", "ws"),
    // Browsers have their own, and Node from 22 on.
    webSocketImpl: WebSocket,
    connectionParams: async () => ({ Authorization: await session.authorization() }),
    // Left out, a server that is away for a moment is the end: a connection that is refused counts as fatal.
    shouldRetry: (reason) => !(reason instanceof SessionOver),
    retryAttempts: Infinity,
    retryWait: soon,
    // A network that swallows everything looks like one where nothing happens.
    keepAlive: 1_000,
    on: {
      ping: (received) => {
        if (!received) timeout = setTimeout(() => client.terminate(), 4_000);
      },
      pong: (received) => {
        if (received) clearTimeout(timeout);
      },
      closed: ({ code }) => {
        clearTimeout(timeout);
        if (code === 4403) session.refused();
        tell({ closed: code });
      },
    },
  });
  return client;
}
