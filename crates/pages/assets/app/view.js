// Showing: screens are templates of the page, filled with values as text, never as HTML.

const view = document.getElementById("view");

/** Names that others chose: without characters that show nothing or override the direction. */
const clean = (value) => String(value).replace(/[\u202A-\u202E\u2066-\u2069]|\p{Cc}/gu, "");

/** A copy of a template, with values at its places. A row without a value goes; so does a part whose condition fails. */
function screen(id, values = {}, conditions = {}) {
  const node = document.getElementById(id).content.cloneNode(true);
  for (const part of node.querySelectorAll("[data-if]")) {
    if (!conditions[part.dataset.if]) part.remove();
  }
  for (const place of node.querySelectorAll("[data-fill]")) {
    const value = values[place.dataset.fill];
    if (value) place.textContent = clean(value);
    else (place.closest("[data-row]") ?? place).remove();
  }
  return worded(node, values);
}

/** Values in the texts of a page are `<bdi>$name</bdi>`. */
function worded(node, values) {
  for (const place of node.querySelectorAll("bdi")) {
    const value = values[place.textContent.replace(/^\$/, "")];
    if (place.textContent.startsWith("$") && value !== undefined) place.textContent = clean(value);
  }
  return node;
}

/** A text without a screen, as nodes. */
function text(name, values = {}) {
  const found = document.getElementById("texts").content.querySelector(`[data-text="${name}"]`);
  return worded(found.cloneNode(true), values);
}

const plainText = (name, values) => text(name, values).textContent;
const put = (place, name, values) => place.replaceChildren(...text(name, values).childNodes);

/** Binds what can be done: `data-do` names a function. A form is bound to its submission. */
function bind(node, doing) {
  for (const element of node.querySelectorAll("[data-do]")) {
    const act = doing[element.dataset.do];
    if (!act) continue;
    element.addEventListener(element.tagName === "FORM" ? "submit" : "click", (event) => {
      event.preventDefault();
      act(event, element);
    });
  }
  return node;
}

/** Shows a screen. The focus goes to its title, so that a screen reader begins there. */
function show(node, { focus = true } = {}) {
  view.replaceChildren(node);
  document.querySelector("main").dataset.shown = here.name;
  if (!focus) return;
  window.scrollTo(0, 0);
  const title = view.querySelector("h1");
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
}

/** While something is sent, nothing else can be pressed. */
async function busy(work) {
  const buttons = [...view.querySelectorAll("button:enabled")];
  view.setAttribute("aria-busy", "true");
  for (const button of buttons) button.disabled = true;
  try {
    return await work();
  } finally {
    view.removeAttribute("aria-busy");
    for (const button of buttons) button.disabled = false;
  }
}

/** Says what is wrong on the screen that is shown. */
function fault(name, values) {
  const notice = view.querySelector("[data-fault]");
  if (!notice) return;
  notice.hidden = !name;
  if (name) put(notice.querySelector("p"), name, values);
}

/** Says what a request that was not answered with 200 means to the person. */
function faultOf(error) {
  if (error instanceof Refusal && error.status === 429) fault("wait", { time: clock((error.seconds ?? 5) * 1000) });
  else fault("not-sent");
}

/** For screen readers. What needs an answer interrupts, everything else waits for a pause. */
function announce(words, alarm = false) {
  document.getElementById(alarm ? "alarmed" : "announced").textContent = words;
}

/** A length of time as minutes and seconds. */
function clock(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

const language = document.documentElement.lang;
const shortTime = new Intl.DateTimeFormat(language, { timeStyle: "medium" });
const dayAndTime = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const timeOf = (moment) => shortTime.format(new Date(moment));
const dayOf = (moment) => dayAndTime.format(new Date(moment));

