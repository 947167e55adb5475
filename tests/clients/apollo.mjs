// Apollo Client, its cache, and its subscriptions in both forms: `node apollo.mjs socket` or `multipart`.

import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { defer, retry, tap, throwError } from "rxjs";
import { FOLLOW, OPEN } from "./conversation.mjs";
import { CONVERSATION, SERVER, showAtTheEnd, soon, tell } from "./harness.mjs";
import { resuming } from "./resuming.mjs";
import { SessionOver, signIn } from "./session.mjs";
import { connect } from "./socket.mjs";

const session = await signIn();
const http = ApolloLink.from([
  new SetContextLink(async () => ({ headers: { authorization: await session.authorization() } })),
  new HttpLink({ uri: SERVER }),
]);

// HttpLink does not try again by itself, and RetryLink would ask for what it asked the first time.
const resumingLink = new ApolloLink((operation, forward) =>
  defer(() => forward(operation)).pipe(
    tap(({ data, errors }) => {
      if (errors?.[0].extensions.code === "UNAUTHENTICATED") {
        session.refused();
        throw new Error(errors[0].message);
      }
      const after = data?.conversationEvents?.seq ?? operation.variables.after;
      operation.variables = { ...operation.variables, after };
    }),
    retry({ delay: (reason) => (reason instanceof SessionOver ? throwError(() => reason) : soon()) }),
  ),
);

const subscriptions = {
  socket: () => new GraphQLWsLink(resuming(connect(session))),
  multipart: () => resumingLink.concat(http),
}[process.argv[2]]();

const client = new ApolloClient({
  link: ApolloLink.split(({ operationType }) => operationType === "subscription", subscriptions, http),
  cache: new InMemoryCache(),
});

const open = { query: gql(OPEN), variables: { id: CONVERSATION } };
const { data } = await client.query(open);
const { seq } = data.conversation.messages;
tell({ opened: seq });
showAtTheEnd(() => client.readQuery(open).conversation.messages.nodes);

client.subscribe({ query: gql(FOLLOW), variables: { ...open.variables, after: seq } }).subscribe({
  next({ data, error }) {
    if (error) return tell({ failed: error.constructor.name });
    const batch = data.conversationEvents;
    // What was edited or deleted is in the cache already; what is new has to be put into the list.
    const sent = batch.events.filter((event) => event.__typename === "MessageSentEvent").map((event) => event.message);
    client.cache.updateQuery(open, ({ conversation }) => {
      const messages = { ...conversation.messages, nodes: [...conversation.messages.nodes, ...sent] };
      return { conversation: { ...conversation, messages } };
    });
    tell({ batch });
  },
  complete: () => tell({ completed: true }),
});
