import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { Conversation, FOLLOW, OPEN } from "./conversation.mjs";
import { CONVERSATION, SERVER, showAtTheEnd, tell } from "./harness.mjs";
import { resuming } from "./resuming.mjs";
import { signIn } from "./session.mjs";
import { connect } from "./socket.mjs";

const session = await signIn();
const socket = resuming(connect(session));
const authorization = await session.authorization();
const client = new Client({
  url: SERVER,
  fetchOptions: { headers: { authorization } },
  exchanges: [
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: (request) => ({ subscribe: (sink) => ({ unsubscribe: socket.subscribe(request, sink) }) }),
    }),
  ],
});

const { data, error } = await client.query(OPEN, { id: CONVERSATION });
if (error) throw error;
const conversation = new Conversation(data.conversation.messages);
showAtTheEnd(() => [...conversation.messages.values()]);

client.subscription(FOLLOW, { id: CONVERSATION, after: conversation.seq }).subscribe(({ data, error }) => {
  if (error) return tell({ failed: error.constructor.name });
  conversation.apply(data.conversationEvents);
});
