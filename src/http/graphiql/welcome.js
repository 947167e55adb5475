// What GraphiQL says first. Whoever is new here is led to a first chat, and can run each operation as it stands; whoever
// is signed in finds what is theirs, and goes on from there.

const welcome = (() => {
  "use strict";

  // What it is made of.
  const ASKS = `{
    server { registration }
    viewer { user { username } sidebar { conversation { id } } }
  }`;

  /** The first document, and its variables. What could not be asked may be missing. */
  function first({ server, viewer }) {
    const operations = viewer
      ? [HOME(viewer.user.username), ...TOUR, LOG_OUT]
      : [WELCOME, ...SIGN_UP(server?.registration), ...TOUR];
    // The first of their conversations, as a client would show them.
    const conversation = viewer?.sidebar[0]?.conversation.id ?? "";
    return { query: operations.join("\n"), variables: JSON.stringify({ conversation, person: "" }, null, 2) };
  }

  const WELCOME = `# Welcome to Chinwag. To chat with yourself, put the
# cursor into one operation after the other and press
# Ctrl-Enter. The book on the left is the manual.
`;

  function SIGN_UP(registration = "OPEN") {
    // A name that nobody has yet, most likely, and a password that nobody knows: the first account runs the server.
    const [name, password] = [`visitor-${random(6)}`, random(16)];
    return [
      ...(registration === "ADMIN_ONLY" ? [ADMIN_ONLY] : []),
      REGISTER(name, password, registration),
      LOG_IN(name, password),
    ];
  }

  function random(length) {
    const letters = "abcdefghijkmnpqrstuvwxyz23456789";
    return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => letters[byte % letters.length]).join("");
  }

  // What a server asks of some.
  const INVITATION = `
    # This server asks for an invitation, but for the first
    # account: its token.
    # invitation: ""`;
  const SETUP_CODE = `
    # For the first account, the code that the server has printed.
    # setupCode: ""`;
  const isLocal = /^(localhost|127\..*|\[::1\])$/.test(location.hostname);

  const ADMIN_ONLY = `# Register makes but the first account here, which runs
# the server. Whoever has one goes on with LogIn.
`;

  const REGISTER = (name, password, registration) => `# Make an account. This page keeps you signed in then, as an
# app does: an accessToken goes along with whatever you
# run, and the cookie gives another when it has expired.
# One that you put into Headers, below, goes before it.
mutation Register {
  register(input: {
    email: "${name}@example.org"
    username: "${name}"
    # Note it down: this page forgets it.
    password: "${password}"
    tokenDelivery: COOKIE${registration === "INVITATION" ? INVITATION : ""}${isLocal ? "" : SETUP_CODE}
  }) {
    viewer { user { id username } }
    tokens { accessToken accessTokenExpiresAt }
  }
}
`;

  const LOG_IN = (name, password) => `# Come back another time.
mutation LogIn {
  login(input: {
    identifier: "${name}"
    password: "${password}"
    tokenDelivery: COOKIE
  }) {
    viewer { user { id username } }
    tokens { accessToken accessTokenExpiresAt }
  }
}
`;

  const HOME = (name) => `# Welcome back, ${name}: what you run here, you run as
# yourself, unless Headers, below, have a token of
# somebody else. Put the cursor into one operation or the
# other and press Ctrl-Enter. The book on the left is the
# manual.

# All that you are in. The first is in Variables, below.
query Home {
  viewer {
    user { id username displayName }
    sidebar {
      unreadCount
      conversation { id title }
    }
  }
}
`;

  const TOUR = [
    `# Make a channel, and copy its id into Variables, below.
mutation CreateChannel {
  createChannel(input: { name: "Kitchen" }) {
    channel { id name }
  }
}
`,
    `# Listen: first comes what has happened so far, then what
# happens.
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
`,
    `# Open this page in a second tab of the browser and say
# something: it appears in the first. Each message takes
# a clientKey of its own; the same again returns the
# first message.
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
`,
    `# Two people see more of each other. Register a second
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
`,
    `# Who types, and who has read how far: one listens, the
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
`,
    `# Who comes and goes: put the id of one of the members
# into Variables. Whoever listens to something is here.
subscription Look($person: ID!) {
  presences(userIds: [$person]) {
    users { username presence { status lastSeenAt } }
  }
}
`,
  ];

  const LOG_OUT = `# End this session, in all tabs.
mutation LogOut {
  logout { sessionId }
}
`;

  return { ASKS, first };
})();
