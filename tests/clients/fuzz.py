"""Schemathesis, on all that queries and mutations take: `fuzz.py somebody` or, in the newer media type, `nobody`. It makes
up the same each time."""

import asyncio
import json
import os
import sys

from gql_session import CONVERSATION, SERVER, Session, asking, over_http

# As many of each root field: it takes seconds, and more finds more. To look for longer: EXAMPLES=1000.
EXAMPLES = os.environ.get("EXAMPLES", "8")
# They end the session by which it is told who asks.
ENDS = ["logout", "revokeSessions", "deleteAccount"]

# One of each kind, so that there is something to find.
MAKE = """mutation Make($message: SendMessageInput!) {
  sendMessage(input: $message) { message { id author { id } } }
  createGroup(input: { name: "Group" }) { group { id } }
  createChannel(input: { name: "Open" }) { channel { id } }
}"""
LOOK = "{ viewer { session { id } } server { errorCodes } }"


def ids_in(answer):
    if isinstance(answer, list):
        return [found for part in answer for found in ids_in(part)]
    if isinstance(answer, dict):
        return [part for name, part in answer.items() if name == "id"] + ids_in(list(answer.values()))
    return []


async def prepare():
    authorization = await (await Session.begin()).authorization()
    async with over_http(authorization) as client:
        message = {"conversationId": CONVERSATION, "content": "hello", "clientKey": "the first of all"}
        made = await client.execute(asking(MAKE, message=message))
        seen = await client.execute(asking(LOOK))
    return authorization, [CONVERSATION, *ids_in(made), *ids_in(seen)], seen["server"]["errorCodes"]


authorization, ids, codes = asyncio.run(prepare())
os.environ.update(SCHEMATHESIS_HOOKS="fuzz_checks", IDS=json.dumps(ids), CODES=json.dumps(codes))
options = {
    "somebody": ["--header", f"Authorization: {authorization}"],
    "nobody": ["--header", "Accept: application/graphql-response+json"],
}[sys.argv[1]]
for field in ENDS:
    options += ["--exclude-name", f"Mutation.{field}"]
program = [sys.executable, "-m", "schemathesis.cli", "run", SERVER, "--seed=1", f"--max-examples={EXAMPLES}"]
program += ["--checks=answers_as_the_contract_says", "--phases=fuzzing", "--generation-database=none", "--no-color"]
# However slow this machine is now.
program += ["--request-timeout=120", "--suppress-health-check=all", "--max-failures=20", "--continue-on-failure"]
os.execv(sys.executable, program + options)
