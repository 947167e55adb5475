import { FOLLOW, openConversation } from "./conversation.mjs";
import { CONVERSATION, showAtTheEnd, tell } from "./harness.mjs";
import { signIn } from "./session.mjs";
import { connect } from "./socket.mjs";

const session = await signIn();
const conversation = await openConversation(session);
showAtTheEnd(() => [...conversation.messages.values()]);

// Sent anew, as they are then, whenever the client connects again.
const variables = { id: CONVERSATION, after: conversation.seq };
connect(session).subscribe(
  { query: FOLLOW, variables },
  {
    next({ data: { conversationEvents: batch } }) {
      conversation.apply(batch);
      variables.after = batch.seq;
    },
    error: (reason) => tell({ failed: reason.constructor.name }),
    complete: () => tell({ completed: true }),
  },
);
