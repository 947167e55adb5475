// Between a program here and the test that runs it: the test says by the environment whom to be, reads what happened in
// lines of JSON, and closes the standard input when it has seen enough.

export const { SERVER, USERNAME, PASSWORD, CONVERSATION } = process.env;

/** Says what happened. */
export function tell(what) {
  console.log(JSON.stringify(what));
}

/** At the end, says which messages the app shows. */
export function showAtTheEnd(messages) {
  process.stdin.resume().on("end", () => {
    tell({ shows: messages().map(({ seq, content }) => ({ seq, content })) });
    process.exit();
  });
  // Alone it keeps no program running: one that has given up is over.
  process.stdin.unref();
}

/** For a retry: an app waits longer, and not for the same time as all others. */
export const soon = () => new Promise((resolve) => setTimeout(resolve, 20));
