"""What Schemathesis is to send, and to look at; it reads this by SCHEMATHESIS_HOOKS."""

import json
import os

import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes

# Things that are there, among what is not.
IDS = json.loads(os.environ["IDS"])
schemathesis.graphql.scalar("ID", st.one_of(*[st.sampled_from(IDS)] * 3, st.text(max_size=40)).map(nodes.String))
schemathesis.graphql.scalar(
    "DateTime",
    st.one_of(st.datetimes().map(lambda at: f"{at.isoformat()}Z"), st.text(max_size=30)).map(nodes.String),
)
schemathesis.graphql.scalar(
    "LocalTime", st.one_of(st.times().map(lambda at: f"{at:%H:%M}"), st.text(max_size=10)).map(nodes.String)
)
schemathesis.graphql.scalar("TimeZone", st.sampled_from(["Europe/Berlin", "Nowhere/There", ""]).map(nodes.String))
schemathesis.graphql.scalar("LanguageTag", st.sampled_from(["de", "pt-BR", "no such"]).map(nodes.String))
schemathesis.graphql.scalar(
    "URL", st.sampled_from(["https://app.example.org/oauth", "javascript:alert(1)", "//", ""]).map(nodes.String)
)

CODES = set(json.loads(os.environ["CODES"]))
# Mistakes of ours: nothing that comes in may lead to them.
OURS = {"INTERNAL", "UNAVAILABLE", "TIMEOUT"}


@schemathesis.check
def answers_as_the_contract_says(ctx, response, case):
    """An answer is one of GraphQL's, with the status of its media type; errors are the sender's, and have codes."""
    body = response.json()
    assert set(body) <= {"data", "errors", "extensions"} and body, body
    content_type = response.headers["content-type"][0].partition(";")[0]
    assert content_type in {"application/json", "application/graphql-response+json"}, content_type
    is_refused = content_type == "application/graphql-response+json" and "data" not in body
    assert response.status_code == (400 if is_refused else 200), response.status_code
    for error in body.get("errors", []):
        extensions = error["extensions"]
        assert extensions["code"] in CODES - OURS, error
        assert extensions["requestId"] == response.headers["x-request-id"][0], error
        assert "path" in error or "data" not in body, error
        # What was made by the schema is valid by it, but where an input of @oneOf has two nulls.
        is_invalid = extensions["code"] in {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}
        assert not is_invalid or "Oneof" in error["message"] or case.meta.generation.mode.is_negative, error
