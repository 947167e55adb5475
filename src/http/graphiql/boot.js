// Starts GraphiQL against this server. A file of its own, because the page's policy allows no inline script.
//
// Invariant: no access or refresh token of the page's own is ever stored where a script could read it, nor what a
// document or its variables have as a password. GraphiQL keeps the rest of both across reloads, never headers; whoever
// has signed in stays so by the refresh token's cookie.

(async () => {
  "use strict";

  const { parse, separateOperations, visit } = GraphiQL.GraphQL;

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
    return response.json();
  }

  // Who this tab is: what comes from signing in, by whatever operation, and from the cookie. Null is nobody, and
  // undefined that it is not known yet.
  let session;

  // An access token lasts for 15 minutes. They are counted here, as this clock need not show the server's time, and by
  // the one on the wall, as the other stands still while some machines sleep.
  const REFRESHED = 14 * 60_000;

  function enter(token) {
    session = { token, person: personOf(token), since: Date.now() };
  }

  /** Whom an access token of this server is for. */
  function personOf(token) {
    return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).sub;
  }

  const REFRESH = "mutation { refreshSession(input: {}) { tokens { accessToken } } }";

  // Errors that settle nothing: who this tab is cannot be had just now.
  const LATER = ["RATE_LIMITED", "TIMEOUT", "UNAVAILABLE", "INTERNAL"];

  /** Has the cookie give a new token. Until it is known to have none for this person, the tab stays who it is. */
  async function renew() {
    const before = session;
    const { data, errors } = await ask(REFRESH).catch(() => ({}));
    // Somebody has signed in or out here meanwhile.
    if (session !== before) return;
    const token = data?.refreshSession?.tokens.accessToken;
    if (!token && !errors?.length) throw new Error("Nothing was run: the server cannot be reached.");
    const later = errors?.find(({ extensions }) => LATER.includes(extensions?.code));
    if (later) throw new Error(`Nothing was run, as you cannot be signed in just now: ${later.message}`);
    if (!before) {
      session = null;
      if (token) enter(token);
    } else if (token && personOf(token) === before.person) {
      enter(token);
    } else {
      session = null;
      const why = token ? "somebody else has signed in, in another tab" : "the session has ended";
      throw new Error(`Nothing was run: ${why}. You are signed out here. Reload the page, or sign in.`);
    }
  }

  let renewal = null;

  /** However many ask for it, the cookie is spent once. */
  function refresh() {
    renewal ??= renew().finally(() => (renewal = null));
    return renewal;
  }

  /** What an answer says about who this tab is from now on. */
  function take(data, document, used) {
    for (const payload of Object.values(data ?? {})) {
      const token = payload?.tokens?.accessToken;
      if (token) enter(token);
    }
    // Under whatever name it is answered.
    visit(document, {
      Field({ name, alias }) {
        if (name.value === "logout" && data?.[(alias ?? name).value] && session === used) session = null;
      },
    });
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

  // The Authorization header, under that name however it was typed; none while no token stands behind "Bearer".
  function authorizationIn(headers) {
    const [, value = ""] = Object.entries(headers).find(([name]) => name.toLowerCase() === "authorization") ?? [];
    return /^(bearer)?$/i.test(value.trim()) ? null : value.trim();
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
    const run = (authorization) =>
      deliver(
        { ...params, query: chosen.query },
        {
          documentAST: chosen.document,
          // Over the socket this becomes the payload of connection_init, where only the credentials belong.
          headers: {
            ...(isSubscription ? {} : Object.fromEntries(others)),
            ...(authorization && { Authorization: authorization }),
          },
        },
      );
    const theirs = authorizationIn(headers);
    if (theirs) {
      const delivered = await run(theirs);
      if (chosen.document && !isSubscription) take(delivered.data, chosen.document, theirs);
      return delivered;
    }

    // As whoever has signed in, and once more with a new token where the old one was refused: nothing was run then.
    try {
      if (session === undefined || Date.now() - session?.since > REFRESHED) await refresh();
      let used = session;
      let delivered = await run(bearer(used));
      if (used && wasRefused(delivered)) {
        if (session === used) await refresh();
        // Nobody else, who may have signed in here meanwhile.
        if (session?.person === used.person) delivered = await run(bearer((used = session)));
      }
      if (chosen.document && !isSubscription) take(delivered.data, chosen.document, used);
      return delivered;
    } catch (error) {
      return { errors: [{ message: error.message }] };
    }
  }

  function bearer(session) {
    return session && `Bearer ${session.token}`;
  }

  function wasRefused({ data, errors }) {
    return !data && errors?.some(({ extensions }) => extensions?.code === "UNAUTHENTICATED");
  }

  /** A document or variables, as they are kept. */
  function withoutPasswords(text) {
    return text.replace(/(password"?\s*:\s*)("""[^]*?"""|"(?:[^"\\\n]|\\.)*"?)/gi, '$1""');
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
      if (/(tabState|queries|favorites)$/.test(key)) {
        value = JSON.stringify(JSON.parse(value), (name, inner) => {
          if (typeof inner !== "string") return inner;
          return name === "headers" ? undefined : withoutPasswords(inner);
        });
      } else {
        value = withoutPasswords(value);
      }
      drawer.setItem(key, value);
    },
  };

  // While a dialog or a menu is open, a library inside GraphiQL keeps the page from scrolling by an inline style, which
  // the page's policy refuses. Ours does not scroll anyway. The library prefers the `styleSheet` of old Internet
  // Explorers where an element has one: here it leads nowhere, and the style stays empty, which the policy allows.
  HTMLStyleElement.prototype.styleSheet = {};

  // Who looks at it decides what the page says first. Where a server runs nothing but trusted documents, nobody knows.
  await refresh().catch(() => {});
  const { query, variables } = await ask(welcome.ASKS, session && { Authorization: bearer(session) })
    .then(({ data }) => welcome.first(data ?? {}))
    .catch(() => welcome.first({}));

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
