// The API of a running world, as any client calls it.
import { readFile } from "node:fs/promises";

/** What the world says of itself, and how it is called. */
export async function world(readyFile) {
  const ready = JSON.parse(await readFile(readyFile, "utf8"));

  async function call(method, target, body, authorization) {
    const answer = await fetch(ready.base_url + target, {
      method,
      headers: { "Content-Type": "application/json", ...(authorization && { Authorization: authorization }) },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${target} answers ${answer.status}: ${text}`);
    return text && JSON.parse(text);
  }

  async function signedIn(client) {
    const { access_token: token } = await call(
      "POST",
      "/auth/oauth2/v2/token",
      { grant_type: "client_credentials" },
      `client_id:${client.client_id}, client_secret:${client.client_secret}`,
    );
    return (method, target, body) => call(method, target, body, `bearer:${token}`);
  }

  return { ready, call, signedIn };
}
