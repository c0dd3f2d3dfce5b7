// The world's clock: shown on every tab, moved on its own.
import { call, sentence, whenShown } from "/dev/kit.js";

const find = (id) => document.getElementById(id);
const [time, date, state, fault, pill, freeze] = ["time", "date", "clock-state", "clock-said", "pill-time", "freeze"].map(find);
let clock = null;
let read = 0;

/** The time that it is in the world, as far as the page knows. */
const now = () => new Date(clock.unix_ms + (clock.frozen ? 0 : performance.now() - read));

function away(seconds) {
  const far = Math.abs(seconds);
  const units = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];
  const [unit, length] = units.find(([, length]) => far >= length) ?? units[3];
  const number = Math.round((far / length) * 10) / 10;
  return `${number} ${unit}${number === 1 ? "" : "s"} ${seconds < 0 ? "behind" : "ahead"}`;
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function show() {
  if (!clock) return;
  const text = now().toISOString();
  put(time, text.slice(11, 19));
  put(date, `${new Intl.DateTimeFormat("en", { dateStyle: "full", timeZone: "UTC" }).format(now())}, UTC`);
  put(pill, `${clock.offset_seconds || clock.frozen ? `${text.slice(0, 10)} ` : ""}${text.slice(11, 19)} UTC`);
  const moved = Math.abs(clock.offset_seconds) > 1;
  pill.parentElement.dataset.state = clock.frozen ? "frozen" : moved ? "moved" : "real";
  state.className = `badge ${clock.frozen ? "danger" : moved ? "warning" : "success"}`;
  const where = moved ? away(clock.offset_seconds) : "";
  put(state, clock.frozen ? `Stopped${where && `, ${where}`}` : where || "The real time");
  put(freeze, clock.frozen ? "Let it run" : "Stop the clock");
}

function take(answer) {
  if (!answer.ok) return put(fault, sentence(answer));
  put(fault, "");
  clock = answer.json;
  read = performance.now();
  show();
}

const look = async () => take(await call("GET", "/dev/clock"));
const change = async (body) => take(await call("PUT", "/dev/clock", body));

find("moves").addEventListener("click", ({ target }) => {
  if (target.dataset.seconds) change({ advance_seconds: Number(target.dataset.seconds) });
});
find("move-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const seconds = Number(find("seconds").value);
  if (Number.isInteger(seconds)) change({ advance_seconds: seconds });
  else put(fault, "Type whole seconds; a minus sign moves it back.");
});
find("set-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { value } = find("moment");
  if (value) change({ set: `${value.length === 16 ? `${value}:00` : value.slice(0, 19)}Z` });
  else put(fault, "Choose a day and a time.");
});
freeze.addEventListener("click", () => change({ freeze: !clock?.frozen }));
find("real").addEventListener("click", () => change({ freeze: false, set: new Date().toISOString() }));

whenShown("clock", (is) => {
  if (!is || !clock) return;
  find("moment").value = now().toISOString().slice(0, 19);
});

setInterval(show, 250);
// Scripts move it too.
setInterval(() => { if (!document.hidden) look().catch(() => {}); }, 2_000);
look().then(() => { find("moment").value = now().toISOString().slice(0, 19); }, () => {});
