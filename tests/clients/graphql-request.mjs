import assert from "node:assert/strict";
import { ClientError, GraphQLClient, gql } from "graphql-request";
import { CONVERSATION, SERVER } from "./harness.mjs";
import { signIn } from "./session.mjs";

const authorization = await (await signIn()).authorization();
const client = new GraphQLClient(SERVER, { headers: { authorization } });

const SEND = gql`
  mutation Send($input: SendMessageInput!) {
    sendMessage(input: $input) { isReplay message { id content author { username } } }
  }
`;
const input = { conversationId: CONVERSATION, content: "by graphql-request", clientKey: crypto.randomUUID() };
const { sendMessage } = await client.request(SEND, { input });
assert.deepEqual([sendMessage.isReplay, sendMessage.message.author.username], [false, "bob"]);
const again = await client.request(SEND, { input });
assert.deepEqual([again.sendMessage.isReplay, again.sendMessage.message.id], [true, sendMessage.message.id]);

// An error of a field comes with what else there is, a request error alone; each with its code.
const codes = (work) =>
  work.then(
    () => assert.fail("it should fail"),
    (error) => {
      assert(error instanceof ClientError);
      return error.response.errors.map(({ extensions }) => extensions.code);
    },
  );
assert.deepEqual(await codes(client.request(SEND, { input: { ...input, content: "other" } })), [
  "IDEMPOTENCY_KEY_REUSED",
]);
assert.deepEqual(await codes(client.request("{ nothing }")), ["GRAPHQL_VALIDATION_FAILED"]);
assert.deepEqual(await codes(client.request("{")), ["GRAPHQL_PARSE_FAILED"]);
assert.deepEqual(await codes(new GraphQLClient(SERVER).request(SEND, { input })), ["UNAUTHENTICATED"]);
