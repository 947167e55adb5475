// The page of GraphiQL in Chromium: a first chat as the page and the README lead to it, and nothing to complain of.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { buildSchema, parse, validate } from "graphql";
import { browse } from "./chromium.mjs";
import { SERVER } from "./harness.mjs";

const { origin } = new URL(SERVER);
const schema = buildSchema(readFileSync("../../schema.graphql", "utf8"));

/** A tab with the page, and what a person does there. */
class Tab {
  static async open(visitor) {
    const page = await visitor.newPage();
    const tab = new Tab(page);
    const response = await page.goto(`${origin}/`);
    assert.match(response.headers()["content-security-policy"], /default-src 'none'; script-src 'self'; /);
    await page.waitForFunction(
      () => document.querySelector(".graphiql-query-editor .CodeMirror")?.CodeMirror.getValue(),
    );
    // All of it could be run.
    assert.deepEqual(validate(schema, parse(await tab.document())), []);
    return tab;
  }

  constructor(page) {
    this.page = page;
  }

  #editor(where) {
    return this.page.locator(`${where} .CodeMirror`).first();
  }

  text(where) {
    return this.#editor(where).evaluate((editor) => editor.CodeMirror.getValue());
  }

  document() {
    return this.text(".graphiql-query-editor");
  }

  setVariables(variables) {
    const editor = this.page.locator(".graphiql-editor-tool .CodeMirror").first();
    return editor.evaluate((editor, text) => editor.CodeMirror.setValue(text), JSON.stringify(variables));
  }

  /** Starts one of the operations. */
  async start(operation) {
    await this.page.locator(".graphiql-execute-button").click();
    await this.page.getByRole("menuitem", { name: operation, exact: true }).click();
  }

  /** What is shown as soon as it matches. */
  async shows(pattern) {
    await this.page.waitForFunction(
      (source) =>
        new RegExp(source).test(document.querySelector(".graphiql-response .CodeMirror")?.CodeMirror.getValue()),
      pattern.source,
    );
    return JSON.parse(await this.text(".graphiql-response"));
  }

  /** Runs an operation, and gives its root field. */
  async run(operation, field) {
    await this.start(operation);
    const { data } = await this.shows(new RegExp(`"${field}": \\{`));
    return data[field];
  }
}

const complaints = await browse(origin, async (visitor) => {
  const alice = await visitor();
  const first = await Tab.open(alice);
  const { viewer } = await first.run("Register", "register");
  assert.match(await first.document(), new RegExp(`username: "${viewer.user.username}"`));
  const { channel } = await first.run("CreateChannel", "createChannel");
  const variables = { conversation: channel.id, person: viewer.user.id };
  await first.setVariables(variables);
  await first.start("Listen");
  await first.shows(/"isCaughtUp": true/);

  // In a second tab she is signed in, and finds what is hers; what she says there is heard here.
  const second = await Tab.open(alice);
  await second.setVariables(variables);
  assert.equal((await second.run("Say", "sendMessage")).isReplay, false);
  await first.shows(/"Kettle's on\."/);

  // Somebody else comes, and speaks while she listens.
  const bob = await Tab.open(await visitor());
  const { username } = (await bob.run("Register", "register")).viewer.user;
  assert.notEqual(username, viewer.user.username);
  await bob.setVariables(variables);
  await bob.run("Join", "joinChannel");
  await bob.run("Say", "sendMessage");
  await first.shows(new RegExp(`"username": "${username}"`));

  // Who comes back is known, and finds what is theirs where the browser has kept no document.
  await first.page.close();
  await second.page.goto(`${origin}/health`);
  await second.page.evaluate(() => localStorage.clear());
  const third = await Tab.open(alice);
  assert.match(await third.document(), new RegExp(`Welcome back, ${viewer.user.username}`));
  assert.deepEqual(JSON.parse(await third.text(".graphiql-editor-tool")), { conversation: channel.id, person: "" });
  const { sidebar } = await third.run("Home", "viewer");
  assert.deepEqual(sidebar.map(({ conversation }) => conversation.title), ["Kitchen"]);

  // The manual is there, by introspection.
  await third.page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  await third.page.getByText("Root Types").waitFor();

  await third.run("LogOut", "logout");
  await third.start("Home");
  await third.shows(/"viewer": null/);

  const stored = await third.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert.doesNotMatch(stored, /eyJ/, "no token is stored");
});
assert.deepEqual(complaints, []);
