// What the tools of the start page share. Text is only ever set as text.

const place = document.getElementById("world");

/** What the server says of this world. */
export const world = JSON.parse(place.dataset.world);

const SHAPES = {
  copy: ["M9 9h11v11H9z", "M5 15H4V4h11v1"],
  done: ["M5 12.5l4.5 4.5L19 7.5"],
  failed: ["M7 7l10 10M17 7L7 17"],
};

/** An element with a class, a text and children. */
export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined && text !== null) made.textContent = text;
  return made;
}

/** A drawing in a square of 24, over which screen readers pass. */
export function drawing(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const shape of SHAPES[name]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", shape);
    svg.append(path);
  }
  return svg;
}

/** Says something to screen readers. */
export function say(text) {
  document.getElementById("said").textContent = text;
}

/** Copies a text; without the clipboard of a secure page, by a selection. */
async function copied(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = element("textarea", "unseen");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

/** Makes a button copy what `read` gives. */
export function copies(button, read) {
  const before = [...button.childNodes];
  let back;
  button.addEventListener("click", async () => {
    try {
      await copied(read());
    } catch {
      return say("The browser did not allow to copy.");
    }
    say("Copied.");
    button.classList.add("done");
    button.replaceChildren(...(button.classList.contains("icon") ? [drawing("done")] : ["Copied"]));
    clearTimeout(back);
    back = setTimeout(() => {
      button.classList.remove("done");
      button.replaceChildren(...before);
    }, 1_500);
  });
  return button;
}

/** A small button that copies. */
export function copyIcon(label, read) {
  const button = element("button", "icon");
  button.type = "button";
  button.setAttribute("aria-label", label);
  button.title = label;
  button.append(drawing("copy"));
  return copies(button, read);
}

/** One call, with what can be said of its answer. */
export async function call(method, path, body, authorization) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (authorization) headers.Authorization = authorization;
  const begun = performance.now();
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  let json = null;
  try {
    json = text ? JSON.parse(text) : null;
  } catch {
    // Not JSON: the status says enough.
  }
  const ms = Math.round(performance.now() - begun);
  return { ok: answer.ok, status: answer.status, ms, json, id: answer.headers.get("x-request-id") };
}

/** The sentence of an error, of either version of the API or of a dev endpoint. */
export function sentence({ status, json }) {
  const message = json?.error?.message ?? json?.status?.message ?? json?.message;
  const hint = json?.error?.hint ? `: ${json.error.hint}` : "";
  return `${typeof message === "string" ? message : message?.description ?? `The answer is ${status}`}${hint}`;
}

/** The same call, which fails with the sentence of its error. */
export async function must(...request) {
  const answer = await call(...request);
  if (!answer.ok) throw new Error(sentence(answer));
  return answer.json;
}

const manager = world.client;

/** The call for a token. */
export const tokenCall = () => [
  "POST",
  "/auth/oauth2/v2/token",
  { grant_type: "client_credentials" },
  `client_id:${manager.client_id}, client_secret:${manager.client_secret}`,
];

/** The API as the first client calls it. */
export async function api() {
  const { access_token: token } = await must(...tokenCall());
  return (method, path, body) => must(method, path, body, `bearer:${token}`);
}

/** Fills a list of users to choose from. */
export function chooser(id) {
  const select = document.getElementById(id);
  for (const user of world.users) {
    const option = element("option", "", user.username);
    option.value = user.id;
    select.append(option);
  }
  return () => world.users.find((user) => String(user.id) === select.value) ?? world.users[0];
}

const shown = new Map();

/** Runs when a tool is shown or hidden. */
export function whenShown(tool, act) {
  shown.set(tool, act);
}

export const showing = (tool, is) => shown.get(tool)?.(is);

/** Repeats while a tool is shown. */
export function repeats(tool, milliseconds, act) {
  let timer;
  let on = false;
  const turn = async () => {
    await act().catch(() => {});
    if (on) timer = setTimeout(turn, milliseconds);
  };
  whenShown(tool, (is) => {
    if (is === on) return;
    on = is;
    clearTimeout(timer);
    if (on) turn();
  });
}
