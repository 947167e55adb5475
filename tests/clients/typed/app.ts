// An app in strict TypeScript, with the types that GraphQL Code Generator makes. It is compiled, not run.

import {
  BootDocument,
  type BootQuery,
  type FollowSubscription,
  FollowDocument,
  OpenConversationDocument,
  SendDocument,
  SignInDocument,
} from "./generated/graphql.js";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";

declare function run<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data>;

export async function start(identifier: string, password: string): Promise<string[]> {
  const { login } = await run(SignInDocument, { input: { identifier, password } });
  const token: string | undefined = login?.tokens.accessToken;
  const { viewer }: BootQuery = await run(BootDocument, {});
  const rows = viewer?.sidebar ?? [];
  return [token ?? "", ...rows.map(({ conversation }) => (conversation.__typename === "Channel" ? (conversation.slug ?? "") : conversation.id))];
}

export async function open(id: string): Promise<number> {
  const { conversation } = await run(OpenConversationDocument, { id });
  const seq: number = conversation?.messages.seq ?? 0;
  await run(SendDocument, { input: { conversationId: id, clientKey: "12345678", content: "Hi" } });
  // @ts-expect-error Its key is required.
  await run(SendDocument, { input: { conversationId: id, content: "Hi" } });
  return seq;
}

export function take({ conversationEvents: { events } }: FollowSubscription): string[] {
  return events.flatMap((event) => (event.__typename === "MessageSentEvent" ? [event.message.id] : []));
}
export const follow = FollowDocument;
