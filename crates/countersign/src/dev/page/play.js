// Plays a whole log-in with the real API, one visible step after the other. It stops where a step fails, and says why.
import { call, chooser, drawing, element, say, sentence, tokenCall, whenShown, world } from "/dev/kit.js";

const NAME = "Simulated phone";
const form = document.getElementById("play-form");
const run = document.getElementById("run");
const end = document.getElementById("run-end");
const chosen = chooser("play-user");

/** A step that failed, with what its answer says. */
class Failed extends Error {}

/** Shows a step while it runs, and what came of it. */
async function step(title, request, { fails = (answer) => !answer.ok, note } = {}) {
  const [method, path, body, authorization] = request;
  const item = element("li");
  const mark = element("span", "mark");
  mark.append(element("span", "turning"));
  const text = element("div");
  const about = element("p", "about");
  about.append(element("code", "", `${method} ${path}`));
  text.append(element("strong", "", title), about);
  item.append(mark, text);
  run.append(item);
  const answer = await call(method, path, body, authorization).catch(() => null);
  const failed = !answer || fails(answer);
  item.className = failed ? "failed" : "passed";
  mark.replaceChildren(drawing(failed ? "failed" : "done"));
  if (!answer) throw new Failed("The server does not answer.");
  const status = element("span", `status-number ${answer.ok ? "good" : "bad"}`, answer.status);
  about.append(status, element("span", "", `${answer.ms} ms`));
  const said = failed ? await reason(answer) : note?.(answer);
  if (said) text.append(element("p", failed ? "about why" : "about", said));
  if (failed) throw new Failed(said);
  return answer.json;
}

/** Why a call was refused: what its answer says, and the rule behind it if the world knows it. */
async function reason(answer) {
  const calls = await call("GET", "/dev/requests").catch(() => null);
  const rule = calls?.json?.find?.((known) => known.request_id === answer.id)?.reason;
  return rule ? `${sentence(answer)} (${rule})` : sentence(answer);
}

const phoneOf = (login) => login.data[0].devices?.find((device) => device.device_type === "OneLogin Protect");

async function play(user) {
  const token = await step("Get an access token", tokenCall(), { note: ({ json }) => `Valid for ${json.expires_in / 3_600} hours` });
  const bearer = `bearer:${token.access_token}`;
  const password = ["POST", "/api/1/login/auth", { username_or_email: user.username, password: user.password, subdomain: world.subdomain }, bearer];
  const factor = ({ json }) => (json.data[0].state_token ? `A second factor is needed: ${json.data[0].devices.map((device) => device.device_type).join(", ")}` : "No factor is enrolled yet, so the password is enough");
  let login = await step(`Log ${user.username} in with the password`, password, { note: factor });
  if (!phoneOf(login)) {
    const enrolled = await step("Enrol push", ["POST", `/api/2/mfa/users/${user.id}/registrations`, { factor_id: 1, display_name: NAME }, bearer], {
      note: ({ json }) => `Pairing code ${json.factor_data.verification_token}`,
    });
    await step("Pair the simulated phone", ["POST", "/dev/phone/pair", enrolled], { note: () => "By POST /app/pair, as the app does" });
    login = await step("Log in once more", password, { note: factor });
  }
  const device = phoneOf(login)?.device_id;
  if (!device) throw new Failed("The log-in does not ask for the phone.");
  const verify = (more) => ["POST", "/api/1/login/verify_factor", { device_id: String(device), state_token: login.data[0].state_token, ...more }, bearer];
  await step("Send a prompt to the phone", verify(), { note: ({ json }) => json.status.message });
  const { json: phone } = await call("GET", "/dev/phone");
  if (phone.device_ids.includes(device)) {
    await step("Accept it on the simulated phone", ["POST", `/dev/phone/accept?user_id=${user.id}`], { note: () => "By POST /app/answer, signed by the phone's key" });
  } else {
    await untilAnswered(verify({ do_not_notify: true }));
    return;
  }
  await finish(verify({ do_not_notify: true }));
}

const isIn = ({ ok, json }) => ok && Boolean(json?.data?.[0]?.session_token);

function finish(request) {
  return step("Collect the session token", request, {
    fails: (answer) => !isIn(answer),
    note: ({ json }) => `Session token ${json.data[0].session_token.slice(0, 6)}…, status ${json.data[0].status}`,
  });
}

/** The prompt is on another phone, such as the app in the tab Phone. */
async function untilAnswered(request) {
  const item = element("li");
  const mark = element("span", "mark");
  mark.append(element("span", "turning"));
  const text = element("div");
  text.append(element("strong", "", "Waiting for you: accept it on the phone"), element("p", "about", "This user's phone is the app. Open the tab Phone and accept there."));
  item.append(mark, text);
  run.append(item);
  for (let asked = 0; asked < 90; asked += 1) {
    const answer = await call(...request);
    const waits = answer.ok && !isIn(answer);
    if (waits) {
      await new Promise((resolve) => { setTimeout(resolve, 1_000); });
      continue;
    }
    item.className = isIn(answer) ? "passed" : "failed";
    mark.replaceChildren(drawing(isIn(answer) ? "done" : "failed"));
    if (!isIn(answer)) throw new Failed(await reason(answer));
    text.append(element("p", "about", `Session token ${answer.json.data[0].session_token.slice(0, 6)}…, status ${answer.json.data[0].status}`));
    return;
  }
  item.className = "failed";
  mark.replaceChildren(drawing("failed"));
  throw new Failed("The phone was not answered in time.");
}

function ended(tone, sign, text) {
  end.className = `notice ${tone}`;
  end.firstElementChild.replaceChildren(drawing(sign));
  end.lastElementChild.textContent = text;
  end.hidden = false;
  say(text);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  run.replaceChildren();
  run.hidden = false;
  end.hidden = true;
  const user = chosen();
  const begun = performance.now();
  try {
    await play(user);
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
    ended("success", "done", `${user.username} is logged in, after ${run.children.length} steps and ${seconds} s. The tab Requests shows each call.`);
  } catch (error) {
    ended("danger", "failed", error instanceof Failed ? `Stopped: ${error.message}` : `Stopped: ${String(error)}`);
  }
  button.disabled = false;
});

whenShown("start", () => {});
