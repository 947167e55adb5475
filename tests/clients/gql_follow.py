"""gql for Python, and a conversation over its sockets: `gql_follow.py current` or, as it is when nobody says anything,
`default`, where it offers the older subprotocol too, before the other."""

import asyncio
import os
import sys

from gql import Client
from gql.transport.exceptions import TransportError, TransportQueryError, TransportServerError
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import ConnectionClosed

from gql_session import CONVERSATION, SERVER, Session, asking, over_http, tell

SUBPROTOCOLS = {"current": [WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL], "default": None}[sys.argv[1]]

OPEN = """query Open($id: ID!) {
  conversation(id: $id) { messages(last: 50) { seq nodes { id seq content } } }
}"""
FOLLOW = """subscription Follow($id: ID!, $after: Int!) {
  conversationEvents(conversationId: $id, after: $after) {
    seq
    events {
      __typename
      seq
      ... on MessageSentEvent { message { id seq content } }
      ... on MessageEditedEvent { message { id seq content } }
      ... on MessagesDeletedEvent { messages { id seq content } }
    }
  }
}"""


async def follow(session, after):
    """Everything since then, over as many sockets as it takes: gql makes none again by itself for a subscription."""
    while True:
        payload = {"Authorization": await session.authorization()}
        transport = WebsocketsTransport(SERVER.replace("http", "ws"), init_payload=payload, subprotocols=SUBPROTOCOLS)
        try:
            async with Client(transport=transport) as connection:
                async for data in connection.subscribe(asking(FOLLOW, id=CONVERSATION, after=after)):
                    after = data["conversationEvents"]["seq"]
                    yield data["conversationEvents"]
                return
        except TransportQueryError:
            raise
        except (TransportError, OSError) as reason:
            # The older subprotocol says so before it closes.
            if isinstance(reason, TransportServerError) or close_code(reason) == 4403:
                session.refused()
            # An app waits longer, and not for the same time as all others.
            await asyncio.sleep(0.02)


def close_code(reason):
    """With which a socket ended, as websockets has told gql."""
    while reason is not None and not isinstance(reason, ConnectionClosed):
        reason = reason.__cause__
    return reason and reason.rcvd and reason.rcvd.code


async def main():
    session = await Session.begin()
    opened = await over_http(await session.authorization()).execute_async(asking(OPEN, id=CONVERSATION))
    page = opened["conversation"]["messages"]
    messages = {message["id"]: message for message in page["nodes"]}
    tell(opened=page["seq"])

    async def show_at_the_end():
        await asyncio.to_thread(sys.stdin.read)
        tell(shows=list(messages.values()))
        os._exit(0)

    at_the_end = asyncio.create_task(show_at_the_end())
    async for batch in follow(session, page["seq"]):
        for event in batch["events"]:
            for message in event.get("messages", [event.get("message")]):
                messages[message["id"]] = message
        tell(batch=batch)
    await at_the_end


asyncio.run(main())
