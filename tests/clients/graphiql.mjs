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
    await tab.isReady();
    // All of it could be run.
    assert.deepEqual(validate(schema, parse(await tab.document())), []);
    return tab;
  }

  constructor(page) {
    this.page = page;
  }

  isReady() {
    return this.page.waitForFunction(
      () => document.querySelector(".graphiql-query-editor .CodeMirror")?.CodeMirror.getValue(),
    );
  }

  /** To the page, a quarter of an hour passes. */
  pass() {
    return this.page.evaluate(() => {
      const now = Date.now;
      Date.now = () => now() + 15 * 60_000;
    });
  }

  /** Until the end of `work`, requests that are `such` are answered so. */
  async answering(answer, such, work) {
    const respond = (route) => (such(route.request()) ? route.fulfill(answer) : route.fallback());
    await this.page.route(`${origin}/graphql`, respond);
    await work();
    await this.page.unroute(`${origin}/graphql`, respond);
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

  setDocument(text) {
    return this.#editor(".graphiql-query-editor").evaluate((editor, text) => editor.CodeMirror.setValue(text), text);
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

const isAbout = (part) => (request) => request.postData()?.includes(part) ?? false;

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

  // What the browser keeps of her document is free of its password.
  const [, password] = /password: "(\w{16})"/.exec(await first.document());
  await second.page.waitForFunction(() => JSON.stringify(localStorage).includes("mutation Register"));
  const kept = await second.page.evaluate(() => JSON.stringify(localStorage));
  assert.ok(!kept.includes(password), "the password is stored");

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

  // Her token expires: the cookie has another. While there is no getting it, nothing is run as nobody.
  const isAlice = async () => assert.equal((await third.run("Home", "viewer")).user.username, viewer.user.username);
  await third.pass();
  await isAlice();
  await third.pass();
  const portal = { contentType: "text/html", body: "<p>Sign in to this network" };
  await third.answering(portal, isAbout("refreshSession"), async () => {
    await third.start("Home");
    await third.shows(/the server cannot be reached/);
  });
  await isAlice();

  // Where the server refuses a token that the page thinks good, it is renewed. Within a second the new one is the same.
  let refusals = 0;
  const expired = { json: { errors: [{ message: "Expired", extensions: { code: "UNAUTHENTICATED" } }] } };
  await third.answering(expired, (request) => isAbout("query Home")(request) && refusals++ === 0, isAlice);
  assert.equal(refusals, 2);

  // In another tab somebody else signs in: this one does not go on as them.
  await third.page.evaluate(
    (query) => {
      const headers = { "Content-Type": "application/json" };
      return fetch("graphql", { method: "POST", headers, body: JSON.stringify({ query }) }).then(({ ok }) => ok);
    },
    `mutation { register(input: {
      email: "carol@example.org" username: "carol" password: "${password}" tokenDelivery: COOKIE
    }) { viewer { user { id } } } }`,
  );
  await isAlice();
  await third.pass();
  await third.start("Home");
  await third.shows(/somebody else has signed in/);
  await third.start("Home");
  await third.shows(/"viewer": null/);

  // Loaded anew, it is theirs. Signing out is noticed under any name.
  await third.page.reload();
  await third.isReady();
  assert.equal((await third.run("Home", "viewer")).user.username, "carol");
  await third.setDocument((await third.document()).replace("logout {", "bye: logout {"));
  await third.run("LogOut", "bye");
  await third.start("Home");
  await third.shows(/"viewer": null/);

  const stored = await third.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert.doesNotMatch(stored, /eyJ/, "no token is stored");
});
assert.deepEqual(complaints, []);
