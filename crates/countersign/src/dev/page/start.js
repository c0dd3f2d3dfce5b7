// The start page of a dev world: its tabs, and what the first of them shows.
import { call, copies, copyIcon, must, say, sentence, showing } from "/dev/kit.js";
import "/dev/play.js";
import "/dev/phone.js";
import "/dev/authenticator.js";
import "/dev/clock.js";
import "/dev/requests.js";

const tabs = [...document.querySelectorAll('[role="tab"]')];
const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
const name = (tab) => tab.getAttribute("aria-controls");
let open = null;

function choose(tab, { focus = false, note = true } = {}) {
  open = name(tab);
  for (const other of tabs) {
    const is = other === tab;
    other.setAttribute("aria-selected", String(is));
    other.tabIndex = is ? 0 : -1;
    panel(other).hidden = !is;
    showing(name(other), is);
  }
  tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (focus) tab.focus();
  if (note && location.hash !== `#${open}`) history.replaceState(null, "", `#${open}`);
  if (open === "outbox") unread(0);
}

/** The tab of the address, else the first. */
function fromAddress() {
  const wanted = location.hash.slice(1);
  choose(tabs.find((tab) => name(tab) === wanted) ?? tabs[0], { note: false });
  window.scrollTo(0, 0);
}

for (const tab of tabs) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(tabs[(to + tabs.length) % tabs.length], { focus: true });
  });
}
window.addEventListener("hashchange", fromAddress);

// How many messages have come since the outbox was last seen.
const count = document.getElementById("count-outbox");
let unseen = 0;
function unread(number) {
  unseen = number;
  count.hidden = number === 0;
  count.textContent = number > 99 ? "99+" : number;
  count.setAttribute("aria-label", `, ${number} new`);
}
let isFirst = true;
document.addEventListener("outbox", ({ detail }) => {
  if (open !== "outbox" && !isFirst) unread(unseen + detail);
  isFirst = false;
});

for (const button of document.querySelectorAll("[data-copies]")) {
  copies(button, () => document.getElementById(button.dataset.copies).textContent);
}
for (const secret of document.querySelectorAll("[data-secret]")) {
  const code = secret.querySelector("code");
  secret.append(copyIcon(`Copy the ${secret.dataset.secret}`, () => code.textContent));
}

// The world begins anew at the second press: the first one only asks.
const reset = document.getElementById("reset");
const resetText = reset.textContent;
let asked;
reset.addEventListener("click", async () => {
  if (!asked) {
    reset.textContent = "Press again to reset";
    asked = setTimeout(() => {
      asked = undefined;
      reset.textContent = resetText;
    }, 5_000);
    return;
  }
  clearTimeout(asked);
  asked = undefined;
  const answer = await call("POST", "/dev/reset");
  reset.textContent = resetText;
  if (answer.ok) location.reload();
  else say(sentence(answer));
});

must("GET", "/dev/outbox").then((messages) => { if (!messages.length) isFirst = false; }, () => {});
fromAddress();
