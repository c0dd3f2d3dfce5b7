// The dev outbox's page: asks for new messages once a second and shows them, newest first. Text is only ever set as
// text. What a person typed or focused is left alone: messages are added, and redrawn once, when they have ended.
"use strict";

const names = { sms: "Text message", voice: "Call", email: "E-mail", push: "Push" };
const states = { accepted: "Accepted", rejected: "Denied, or answered wrongly too often", expired: "Over" };
const list = document.getElementById("messages");
const state = document.getElementById("state");
const needle = document.getElementById("needle");
const none = document.getElementById("none");
let last = 0;
/** What still waits, by id: it may be answered elsewhere, or run out. */
const waiting = new Map();
/** As which devices the simulated phone is paired. */
let phones = new Set();

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function button(className, text) {
  const made = element("button", className, text);
  made.type = "button";
  return made;
}

async function post(path, body, result, buttons) {
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const answer = await fetch(path, { method: "POST", body: body && JSON.stringify(body) });
    const told = await answer.json();
    result.textContent = answer.ok ? told.status : `${told.error.message}: ${told.error.hint}`;
    if (!answer.ok) buttons.forEach((button) => { button.disabled = false; });
  } catch {
    result.textContent = "The server does not answer.";
    buttons.forEach((button) => { button.disabled = false; });
  }
}

function pushActions(message, result) {
  const accept = button("button accept", "Accept");
  const deny = button("button danger", "Deny");
  const report = button("button quiet", "Not me");
  report.title = "Denies, and pauses push for 15 minutes";
  const all = [accept, deny, report];
  deny.addEventListener("click", () => post(`/dev/outbox/${message.id}/deny`, null, result, all));
  report.addEventListener("click", () => post(`/dev/outbox/${message.id}/report`, null, result, all));
  if (!message.digits) {
    accept.addEventListener("click", () => post(`/dev/outbox/${message.id}/accept`, null, result, all));
    return all;
  }
  const number = digitsInput(message.digits, "Number shown at the sign-in");
  accept.addEventListener("click", () => {
    const typed = number.value.trim();
    if (typed.length === message.digits) post(`/dev/outbox/${message.id}/accept?number=${encodeURIComponent(typed)}`, null, result, all);
    else {
      result.textContent = `Type the ${message.digits} digits shown at the sign-in.`;
      number.focus();
    }
  });
  number.addEventListener("keydown", (event) => { if (event.key === "Enter") accept.click(); });
  return [number, ...all];
}

function digitsInput(length, label) {
  const digits = element("input");
  digits.inputMode = "numeric";
  digits.maxLength = length;
  digits.autocomplete = "one-time-code";
  digits.setAttribute("aria-label", label);
  digits.placeholder = "0".repeat(length);
  return digits;
}

function callActions(message, result) {
  const digits = digitsInput(6, "Digits to key in");
  const key = button("button", "Key in");
  key.addEventListener("click", () => post(`/dev/outbox/${message.id}/keypad`, { digits: digits.value.trim() }, result, [key]));
  digits.addEventListener("keydown", (event) => { if (event.key === "Enter") key.click(); });
  return [digits, key];
}

/** A code, with a button that copies it where the page may. */
function coded(code) {
  const row = element("div", "coded");
  row.append(element("span", "code", code));
  if (navigator.clipboard) {
    const copy = button("button copy", "Copy");
    copy.setAttribute("aria-label", `Copy the code ${code}`);
    copy.addEventListener("click", () => navigator.clipboard.writeText(code).then(() => {
      copy.textContent = "Copied";
      setTimeout(() => { copy.textContent = "Copy"; }, 1_500);
    }, () => {}));
    row.append(copy);
  }
  return row;
}

function ended(message) {
  const state = states[message.state] || "No longer waiting";
  return message.answered_at ? `${state}, ${message.answered_at.slice(11, 19)} UTC.` : `${state}.`;
}

function show(message) {
  const item = element("li", "message");
  const who = message.username ? `${message.username} (user ${message.user_id})` : `user ${message.user_id}`;
  const over = message.state !== "waiting";
  if (over) item.classList.add("over");
  item.dataset.search = [message.to, message.channel, who, names[message.channel]].join(" ").toLowerCase();
  const head = element("div", "top");
  head.append(
    element("span", "badge channel", names[message.channel] || message.channel),
    element("span", "to", message.to),
    element("span", "muted small", `${who}, device ${message.device_id}, ${message.created_at.slice(11, 19)} UTC, no. ${message.id}`),
  );
  item.append(head);
  if (message.subject) item.append(element("p", "subject", message.subject));
  item.append(element("p", "body", message.body));
  if (message.code) item.append(over ? element("span", "code", message.code) : coded(message.code));
  if (message.link && message.link.startsWith("http")) {
    const link = element("a", "", "Open the link");
    link.href = message.link;
    item.append(link);
  }
  const result = element("span", "", "");
  result.setAttribute("role", "status");
  const actions = element("div", "actions");
  const answering = { push: pushActions, voice: message.code ? undefined : callActions }[message.channel];
  if (answering) {
    if (!message.waits) result.textContent = ended(message);
    else if (message.channel === "push" && !phones.has(message.device_id)) result.textContent = "Waits for another phone: answer it there.";
    else actions.append(...answering(message, result));
    actions.append(result);
  } else if (over) {
    actions.append(element("span", "muted small", ended(message)));
  }
  if (actions.childElementCount) item.append(actions);
  if (!over) waiting.set(message.id, item);
  return item;
}

/** What has ended meanwhile says so. A message that somebody is answering here is left alone. */
function settle(message) {
  const item = waiting.get(message.id);
  if (!item || message.state === "waiting") return;
  waiting.delete(message.id);
  const answered = item.querySelector(".actions button:disabled");
  if (answered || item.contains(document.activeElement)) return item.classList.add("over");
  item.replaceWith(show(message));
}

function filter() {
  const wanted = needle.value.trim().toLowerCase();
  for (const item of list.children) item.hidden = wanted !== "" && !item.dataset.search.includes(wanted);
}

async function read(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  return answer.json();
}

async function look() {
  try {
    const since = Math.min(last, ...[...waiting.keys()].map((id) => id - 1));
    const listed = await read(`/dev/outbox?after=${since}`);
    const messages = listed.filter((message) => message.id > last);
    if (messages.some((message) => message.waits)) phones = new Set((await read("/dev/phone")).device_ids);
    for (const message of listed) {
      if (message.id <= last) settle(message);
      else list.prepend(show(message));
    }
    last = Math.max(last, ...messages.map((message) => message.id));
    if (listed.length) filter();
    if (messages.length) {
      document.dispatchEvent(new CustomEvent("outbox", { detail: messages.length }));
    }
    const count = list.childElementCount;
    const text = count ? `${count} ${count === 1 ? "message" : "messages"}, newest first.` : "Waiting for the first message.";
    if (state.textContent !== text) state.textContent = text;
    none.hidden = count > 0;
  } catch {
    state.textContent = "The server does not answer; trying again.";
  }
  setTimeout(look, 1000);
}

needle.addEventListener("input", filter);
document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());
look();
