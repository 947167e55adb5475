// A conversation as an app has it: opened by a query, then kept by its events.

import { CONVERSATION, tell } from "./harness.mjs";
import { ask } from "./session.mjs";

export const OPEN = `query Open($id: ID!) {
  conversation(id: $id) { id messages(last: 50) { seq nodes { id seq content } } }
}`;

export const FOLLOW = `subscription Follow($id: ID!, $after: Int!) {
  conversationEvents(conversationId: $id, after: $after) {
    seq
    hasGap
    events {
      __typename
      seq
      ... on MessageSentEvent { message { id seq content } }
      ... on MessageEditedEvent { message { id seq content } }
      ... on MessagesDeletedEvent { messages { id seq content } }
    }
  }
}`;

/** For clients that keep nothing themselves. */
export async function openConversation(session) {
  const { conversation } = await ask(OPEN, { id: CONVERSATION }, await session.authorization());
  return new Conversation(conversation.messages);
}

export class Conversation {
  constructor({ seq, nodes }) {
    /** Where its stream begins. */
    this.seq = seq;
    this.messages = new Map(nodes.map((message) => [message.id, message]));
    tell({ opened: seq });
  }

  /** Takes what a stream delivers, each message as it is now. */
  apply(batch) {
    const changed = batch.events.flatMap(({ message, messages = [] }) => message ?? messages);
    for (const message of changed) this.messages.set(message.id, message);
    tell({ batch });
  }
}
