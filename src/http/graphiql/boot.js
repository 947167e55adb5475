// Starts GraphiQL against this server. A file of its own, because the page's policy allows no inline script.
//
// Invariant: no token is ever stored where a script could read it. GraphiQL keeps documents and variables across reloads,
// never headers; whoever has signed in stays so by the refresh token's cookie.

(async () => {
  "use strict";

  const { parse, separateOperations } = GraphiQL.GraphQL;

  const HEADERS = `{
  "Authorization": "Bearer "
}`;

  // Beside the page, wherever a proxy has put that.
  const http = new URL("graphql", location.href);
  const socket = new URL(http);
  socket.protocol = http.protocol.replace("http", "ws");

  const deliver = GraphiQL.createFetcher({
    url: http.href,
    // A connection for each subscription, so a new token never meets a connection of the old one.
    subscriptionUrl: socket.href,
    headers: { Accept: "application/graphql-response+json, application/json" },
    enableIncrementalDelivery: false,
  });

  async function ask(query, authorization) {
    const response = await fetch(http, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", ...authorization },
      body: JSON.stringify({ query }),
    });
    return (await response.json()).data ?? {};
  }

  // What comes from signing in, by whatever operation, and from the cookie. An access token lasts for 15 minutes.
  const REFRESHED = 14 * 60_000;
  let session = null;

  function take(data) {
    for (const [field, payload] of Object.entries(data ?? {})) {
      const token = payload?.tokens?.accessToken;
      if (token) session = { authorization: { Authorization: `Bearer ${token}` }, since: performance.now() };
      if (field === "logout") session = null;
    }
  }

  async function refresh() {
    session = null;
    take(await ask("mutation { refreshSession(input: {}) { tokens { accessToken } } }"));
  }

  // Only the chosen operation leaves, with the fragments it spreads: a mistake in the one below is not its mistake.
  // What is left out becomes blanks, so that the server's line numbers are those of the editor.
  function choose({ query, operationName }) {
    const document = parse(query);
    const chosen = operationName ? separateOperations(document)[operationName] : document;
    if (!chosen) return { query, document };
    for (const definition of document.definitions) {
      if (chosen.definitions.includes(definition)) continue;
      const { start, end } = definition.loc;
      query = query.slice(0, start) + query.slice(start, end).replace(/[^\n]/g, " ") + query.slice(end);
    }
    return { query, document: chosen };
  }

  // The Authorization header, under that name however it was typed; while no token stands behind "Bearer", that of
  // whoever has signed in.
  async function credentials(headers) {
    const [, value = ""] = Object.entries(headers).find(([name]) => name.toLowerCase() === "authorization") ?? [];
    if (!/^(bearer)?$/i.test(value.trim())) return { Authorization: value.trim() };
    if (session && performance.now() - session.since > REFRESHED) await refresh();
    return session?.authorization;
  }

  async function fetcher(params, options) {
    const headers = options?.headers ?? {};
    let chosen;
    try {
      chosen = choose(params);
    } catch {
      // A syntax error: the server says it better.
      chosen = { query: params.query };
    }
    const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization");
    const isSubscription = chosen.document?.definitions.some((definition) => definition.operation === "subscription");
    const delivered = await deliver(
      { ...params, query: chosen.query },
      {
        documentAST: chosen.document,
        // Over the socket this becomes the payload of connection_init, where only the credentials belong.
        headers: { ...(isSubscription ? {} : Object.fromEntries(others)), ...(await credentials(headers)) },
      },
    );
    if (!isSubscription) take(delivered.data);
    return delivered;
  }

  // GraphiQL's history remembers the headers of each request even where headers are not to be kept. Its drawer is our
  // own besides, so that the document of another server on this port does not greet the newcomer.
  const drawer = GraphiQL.createLocalStorage({ namespace: "chinwag" });
  const storage = {
    getItem: (key) => drawer.getItem(key),
    removeItem: (key) => drawer.removeItem(key),
    clear: () => drawer.clear(),
    get length() {
      return drawer.length;
    },
    setItem(key, value) {
      if (/(queries|favorites)$/.test(key)) {
        value = JSON.stringify(JSON.parse(value), (name, inner) => (name === "headers" ? undefined : inner));
      }
      drawer.setItem(key, value);
    },
  };

  // While a dialog or a menu is open, a library inside GraphiQL keeps the page from scrolling by an inline style, which
  // the page's policy refuses. Ours does not scroll anyway. The library prefers the `styleSheet` of old Internet
  // Explorers where an element has one: here it leads nowhere, and the style stays empty, which the policy allows.
  HTMLStyleElement.prototype.styleSheet = {};

  // Who looks at it decides what the page says first. Where a server runs nothing but trusted documents, nobody knows.
  const { query, variables } = await refresh()
    .then(() => ask(welcome.ASKS, session?.authorization))
    .catch(() => ({}))
    .then(welcome.first);

  // GraphiQL shows the variables of a first tab only where it finds them stored.
  if (!drawer.getItem("graphiql:tabState")) drawer.setItem("graphiql:variables", variables);

  ReactDOM.createRoot(document.getElementById("graphiql")).render(
    React.createElement(
      GraphiQL,
      {
        fetcher,
        storage,
        shouldPersistHeaders: false,
        showPersistHeadersSettings: false,
        defaultEditorToolsVisibility: "variables",
        defaultHeaders: HEADERS,
        defaultQuery: query,
        defaultTabs: [{ query, variables, headers: HEADERS }],
      },
      React.createElement(GraphiQL.Logo, null, "Chinwag"),
    ),
  );
})();
