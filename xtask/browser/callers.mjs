// Applications that log people in, by each of the three doors, and the administrator who invites them.
import { readFile } from "node:fs/promises";

/** Seconds that a poll is held. It is asked again for as long as the prompt waits. */
const HELD = 20;
const PASSWORD = "correct horse battery staple";

export async function office({ base_url: base, client, matching, messages }) {
  async function asked(token, method, target, body) {
    const answer = await fetch(base + target, {
      method,
      headers: { "Content-Type": "application/json", Authorization: token },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, body: text && JSON.parse(text) };
  }

  async function signedIn({ client_id: id, client_secret: secret }) {
    const { body } = await asked(`client_id:${id}, client_secret:${secret}`, "POST", "/auth/oauth2/v2/token", { grant_type: "client_credentials" });
    const call = (method, target, said) => asked(`bearer:${body.access_token}`, method, target, said);
    /** The same, of a call that has to succeed. */
    const must = async (method, target, said) => {
      const answer = await call(method, target, said);
      if (answer.status >= 300) throw new Error(`${method} ${target} answers ${answer.status}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    };
    return { call, must };
  }

  /** Polls until the person has answered. */
  async function decided(poll) {
    for (;;) {
      const answer = await poll();
      if (!/"(message|status)":"(Authentication )?pending/i.test(JSON.stringify(answer.body))) return answer;
    }
  }

  const [plain, numbers] = [await signedIn(client), await signedIn(matching)];
  const mfa = (user) => `/api/2/mfa/users/${user.id}`;
  const deviceOf = async (user, name) => (await plain.must("GET", `${mfa(user)}/devices`)).find((one) => one.auth_factor_name === name)?.device_id;

  return {
    base,
    plain,
    mfa,
    deviceOf,
    async hire(name, facts = {}) {
      const user = { username: name, email: `${name}@northfield.example`, password: PASSWORD, password_confirmation: PASSWORD, ...facts };
      return { ...user, ...(await plain.must("POST", "/api/2/users", user)) };
    },
    invite: (user, said = {}) => plain.call("POST", `${mfa(user)}/enrollment_link`, said),
    /** The messages to this number or address. */
    async sent(to) {
      const text = await readFile(messages, "utf8").catch(() => "");
      return text.split("\n").filter(Boolean).map((line) => JSON.parse(line)).filter((message) => message.to === to);
    },

    /** A password, then the phone. `answered` is what the waiting page learns. */
    async byLogin(user) {
      const { data } = await plain.must("POST", "/api/1/login/auth", { username_or_email: user.username, password: PASSWORD, subdomain: "northfield", ip_address: "203.0.113.24" });
      const [{ state_token, devices }] = data;
      const step = { state_token, device_id: String(devices[0].device_id) };
      await plain.must("POST", "/api/1/login/verify_factor", step);
      const poll = decided(() => plain.call("POST", `/api/1/login/verify_factor?wait=${HELD}`, { ...step, do_not_notify: true }));
      return { answered: poll.then(({ status, body }) => (status === 200 && body.data?.[0]?.session_token ? "accepted" : `${status} ${JSON.stringify(body.status)}`)) };
    },
    async byVersion1(user, device) {
      const path = `/api/1/users/${user.id}/otp_devices/${device}`;
      const { data } = await plain.must("POST", `${path}/trigger`, { ipaddr: "203.0.113.24" });
      const poll = decided(() => plain.call("POST", `${path}/verify?wait=${HELD}`, { state_token: data[0].state_token }));
      return { answered: poll.then(({ status, body }) => (status === 200 ? "accepted" : `${status} ${body.status.message}`)) };
    },
    async byVersion2(user, device, { matching: isMatching = false } = {}) {
      const by = isMatching ? numbers : plain;
      const { id, factor_data: data } = await by.must("POST", `${mfa(user)}/verifications`, { device_id: device, ipaddr: "203.0.113.24" });
      const poll = decided(() => by.call("GET", `${mfa(user)}/verifications/${id}?wait=${HELD}`));
      return { id, number: data?.verification_token, answered: poll.then(({ body }) => body.status) };
    },
  };
}
