// Signing in, and the access token that all connections of an app share.

import { PASSWORD, SERVER, USERNAME, tell } from "./harness.mjs";

/** The session is over: only the person can begin another. */
export class SessionOver extends Error {}

/** Signs in. The access token lasts for minutes, the refresh token for weeks. */
export async function signIn() {
  let { tokens } = (await ask(LOGIN, { input: { identifier: USERNAME, password: PASSWORD } })).login;
  tell({ token: tokens.accessToken });
  let isRefused = false;

  return {
    /** What every request carries, and every connection: asked for anew whenever one is made. */
    async authorization() {
      if (isRefused) {
        ({ tokens } = (await ask(REFRESH, { input: { refreshToken: tokens.refreshToken } })).refreshSession);
        tell({ token: tokens.accessToken });
        isRefused = false;
      }
      return `Bearer ${tokens.accessToken}`;
    },
    /** To be called when the server did not take it. The clock of this machine may be wrong, so it does not decide. */
    refused() {
      isRefused = true;
    },
  };
}

/** An operation over HTTP, without any library. */
export async function ask(query, variables, authorization = "") {
  const response = await fetch(SERVER, {
    method: "POST",
    headers: { "content-type": "application/json", authorization },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors?.[0].extensions.code === "UNAUTHENTICATED") throw new SessionOver();
  if (errors) throw new Error(errors[0].message);
  return data;
}

const LOGIN = `mutation Login($input: LoginInput!) {
  login(input: $input) { tokens { accessToken refreshToken } }
}`;

const REFRESH = `mutation Refresh($input: RefreshSessionInput!) {
  refreshSession(input: $input) { tokens { accessToken refreshToken } }
}`;
