// What an app with Relay says of itself, as its compiler reads it.

import relay from "relay-runtime";
const { graphql } = relay;

export const OPEN = graphql`
  query roomOpenQuery($id: ID!) {
    conversation(id: $id) {
      id
      ...room_messages @arguments(count: 2)
    }
  }
`;

export const MESSAGES = graphql`
  fragment room_messages on Conversation
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, before: { type: "String" })
  @refetchable(queryName: "roomMessagesPaginationQuery") {
    messages(last: $count, before: $before) @connection(key: "room_messages") {
      edges {
        node {
          id
          content
        }
      }
    }
  }
`;

export const SEND = graphql`
  mutation roomSendMutation($input: SendMessageInput!) {
    sendMessage(input: $input) {
      message {
        id
        content
      }
    }
  }
`;

export const FOLLOW = graphql`
  subscription roomFollowSubscription($id: ID!, $after: Int) {
    conversationEvents(conversationId: $id, after: $after) {
      seq
      events {
        __typename
        ... on MessageSentEvent {
          message {
            id
            content
          }
        }
      }
    }
  }
`;
