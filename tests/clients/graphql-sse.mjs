import { createClient } from "graphql-sse";
import { FOLLOW, openConversation } from "./conversation.mjs";
import { CONVERSATION, SERVER, showAtTheEnd, soon, tell } from "./harness.mjs";
import { signIn } from "./session.mjs";

const session = await signIn();
const conversation = await openConversation(session);
showAtTheEnd(() => [...conversation.messages.values()]);

const client = createClient({
  url: SERVER,
  headers: async () => ({ authorization: await session.authorization() }),
  async fetchFn(url, request) {
    const response = await fetch(url, request);
    if (response.status === 401) session.refused();
    return response;
  },
  retryAttempts: Infinity,
  retry: soon,
});

// Sent anew, as they are then, whenever the client connects again.
const variables = { id: CONVERSATION, after: conversation.seq };
client.subscribe(
  { query: FOLLOW, variables },
  {
    next({ data, errors }) {
      // Over a socket these come as an error; here the stream completes behind them.
      if (errors) return tell({ failed: errors[0].extensions.code });
      const batch = data.conversationEvents;
      conversation.apply(batch);
      variables.after = batch.seq;
    },
    error: (reason) => tell({ failed: reason.constructor.name }),
    complete: () => tell({ completed: true }),
  },
);
