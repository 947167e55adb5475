// Starts GraphiQL against this server. A file of its own, because the page's policy allows no inline script.
//
// Invariant: no token is ever stored. GraphiQL keeps documents and variables across reloads, never headers.

(() => {
  "use strict";

  const { parse, separateOperations } = GraphiQL.GraphQL;

  const HEADERS = `{
  "Authorization": "Bearer "
}`;

  const VARIABLES = `{
  "conversation": "",
  "person": ""
}`;

  const WELCOME = `# Welcome to Chinwag. To chat with yourself, put the
# cursor into one operation after the other and press
# Ctrl-Enter. The book on the left is the manual.

# 1. Make an account.
mutation Register {
  register(input: {
    email: "alice@example.org"
    username: "alice"
    password: "correct horse battery"
  }) {
    tokens { accessToken }
  }
}

# 2. Copy the accessToken into Headers, below, after
#    Bearer. It lasts for 15 minutes and goes when the
#    page is reloaded; this gives another one.
mutation LogIn {
  login(input: {
    identifier: "alice"
    password: "correct horse battery"
  }) {
    tokens { accessToken }
  }
}

# 3. Make a channel, and copy its id into Variables.
mutation CreateChannel {
  createChannel(input: { name: "Kitchen" }) {
    channel { id name }
  }
}

# 4. Listen: first comes what has happened so far,
#    then what happens.
subscription Listen($conversation: ID!) {
  conversationEvents(
    conversationId: $conversation
    after: 0
  ) {
    seq
    isCaughtUp
    events {
      __typename
      occurredAt
      ... on MessageSentEvent {
        message { content author { username } }
      }
    }
  }
}

# 5. Open this page in a second tab of the browser, with
#    the token in its Headers too, and say something: it
#    appears in the first. Each message takes a clientKey
#    of its own; the same again returns the first message.
mutation Say($conversation: ID!) {
  sendMessage(input: {
    conversationId: $conversation
    clientKey: "message-1"
    content: "Kettle's on."
  }) {
    isReplay
    message { seq content }
  }
}

# Two people see more of each other. Register a second
# one in a private window; there, put the channel's id
# into Variables, and join.
mutation Join($conversation: ID!) {
  joinChannel(input: { channelId: $conversation }) {
    channel {
      name
      members { nodes { role user { id username } } }
    }
  }
}

# Who types, and who has read how far: one listens, the
# other does it.
subscription Hear($conversation: ID!) {
  conversationSignals(conversationId: $conversation) {
    signals {
      __typename
      user { username }
      ... on TypingSignal { expiresAt }
      ... on ReadSignal { member { lastReadSeq } }
    }
  }
}

mutation Type($conversation: ID!) {
  setTyping(input: { conversationId: $conversation }) {
    expiresAt
  }
}

mutation Read($conversation: ID!) {
  markConversationRead(input: {
    conversationId: $conversation
  }) {
    viewerState { lastReadSeq unreadCount }
  }
}

# Who comes and goes: put the id of one of the members
# into Variables. Whoever listens to something is here.
subscription Look($person: ID!) {
  presences(userIds: [$person]) {
    users { username presence { status lastSeenAt } }
  }
}
`;

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
  function credentials(headers) {
    const [, value = ""] = Object.entries(headers).find(([name]) => name.toLowerCase() === "authorization") ?? [];
    return /^(bearer)?$/i.test(value.trim()) ? {} : { Authorization: value.trim() };
  }

  function fetcher(params, options) {
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
    return deliver(
      { ...params, query: chosen.query },
      {
        documentAST: chosen.document,
        // Over the socket this becomes the payload of connection_init, where only the credentials belong.
        headers: isSubscription ? credentials(headers) : { ...Object.fromEntries(others), ...credentials(headers) },
      },
    );
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

  // GraphiQL shows the variables of a first tab only where it finds them stored.
  if (!drawer.getItem("graphiql:tabState")) drawer.setItem("graphiql:variables", VARIABLES);

  ReactDOM.createRoot(document.getElementById("graphiql")).render(
    React.createElement(
      GraphiQL,
      {
        fetcher,
        storage,
        shouldPersistHeaders: false,
        showPersistHeadersSettings: false,
        defaultEditorToolsVisibility: "headers",
        defaultHeaders: HEADERS,
        defaultQuery: WELCOME,
        defaultTabs: [{ query: WELCOME, variables: VARIABLES, headers: HEADERS }],
      },
      React.createElement(GraphiQL.Logo, null, "Chinwag"),
    ),
  );
})();
