"""gql for Python: queries, mutations and errors with their codes, over HTTP and over its sockets."""

import asyncio
import uuid

from gql import Client
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

from gql_session import CONVERSATION, SERVER, Session, asking, over_http

SEND = """mutation Send($input: SendMessageInput!) {
  sendMessage(input: $input) { isReplay message { id content author { username } } }
}"""


async def codes(work):
    try:
        await work
    except TransportQueryError as error:
        return [error["extensions"]["code"] for error in error.errors]
    raise AssertionError("it should fail")


async def check(client, content):
    async with client as session:
        message = {"conversationId": CONVERSATION, "content": content, "clientKey": str(uuid.uuid4())}
        sent = (await session.execute(asking(SEND, input=message)))["sendMessage"]
        assert (sent["isReplay"], sent["message"]["author"]["username"]) == (False, "bob"), sent
        again = (await session.execute(asking(SEND, input=message)))["sendMessage"]
        assert (again["isReplay"], again["message"]["id"]) == (True, sent["message"]["id"]), again

        other = asking(SEND, input={**message, "content": "other"})
        assert await codes(session.execute(other)) == ["IDEMPOTENCY_KEY_REUSED"]
        assert await codes(session.execute(asking("{ nothing }"))) == ["GRAPHQL_VALIDATION_FAILED"]


async def main():
    authorization = await (await Session.begin()).authorization()
    await check(over_http(authorization), "over HTTP")
    for subprotocols in [None, [WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL]]:
        transport = WebsocketsTransport(
            SERVER.replace("http", "ws"), init_payload={"Authorization": authorization}, subprotocols=subprotocols
        )
        await check(Client(transport=transport, execute_timeout=None), f"over a socket of {subprotocols}")


asyncio.run(main())
