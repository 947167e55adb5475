// A stream goes on where it was cut. Both graphql-ws and graphql-sse send the variables anew, as they are then,
// whenever they connect again, so `after` is kept in them. Who uses one of the two directly does that in a line;
// this is for Apollo and urql, which hand over a copy of the variables.

/** The same client, whose subscriptions to a conversation's log miss nothing and repeat nothing. */
export const resuming = (client) => ({
  ...client,
  subscribe(request, sink) {
    const variables = { ...request.variables };
    return client.subscribe(
      { ...request, variables },
      {
        next(result) {
          sink.next(result);
          variables.after = result.data?.conversationEvents?.seq ?? variables.after;
        },
        error: (reason) => sink.error(reason),
        complete: () => sink.complete(),
      },
    );
  },
});
