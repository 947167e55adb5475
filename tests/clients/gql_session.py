"""What the programs in Python share: whom the test says to be, what they tell it, and signing in."""

import json
import os

from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport

SERVER = os.environ["SERVER"]
CONVERSATION = os.environ["CONVERSATION"]

LOGIN = """mutation Login($input: LoginInput!) {
  login(input: $input) { tokens { accessToken refreshToken } }
}"""
REFRESH = """mutation Refresh($input: RefreshSessionInput!) {
  refreshSession(input: $input) { tokens { accessToken refreshToken } }
}"""


def tell(**what):
    """Says what happened."""
    print(json.dumps(what), flush=True)


def over_http(authorization=None):
    """A client for queries and mutations."""
    headers = {"Authorization": authorization} if authorization else {}
    return Client(transport=AIOHTTPTransport(url=SERVER, headers=headers), execute_timeout=None)


def asking(document, **variables):
    """A request as gql wants it."""
    request = gql(document)
    request.variable_values = variables
    return request


class Session:
    """Signed in. The access token lasts for minutes, the refresh token for weeks."""

    def __init__(self, tokens):
        self._tokens = tokens
        self._is_refused = False

    @classmethod
    async def begin(cls):
        who = {"identifier": os.environ["USERNAME"], "password": os.environ["PASSWORD"]}
        answer = await over_http().execute_async(asking(LOGIN, input=who))
        return cls(answer["login"]["tokens"])

    def refused(self):
        """To be called when the server did not take the token."""
        self._is_refused = True

    async def authorization(self):
        """What every request carries, and every connection."""
        if self._is_refused:
            token = {"refreshToken": self._tokens["refreshToken"]}
            answer = await over_http().execute_async(asking(REFRESH, input=token))
            self._tokens = answer["refreshSession"]["tokens"]
            self._is_refused = False
        return f"Bearer {self._tokens['accessToken']}"
