// Every authenticator app and token of the world, with the codes that they show by the world's clock.
import { api, call, chooser, copies, element, must, repeats } from "/dev/kit.js";

const AROUND = 2 * Math.PI * 19;
const list = document.getElementById("codes");
const none = document.getElementById("no-codes");
const fault = document.getElementById("enrol-said");
const chosen = chooser("enrol-user");
const cards = new Map();

const grouped = (code) => (code.length === 6 ? `${code.slice(0, 3)} ${code.slice(3)}` : code.replace(/(\d{4})(?=\d)/g, "$1 "));

function circle(className) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  for (const [name, value] of [["class", className], ["cx", 22], ["cy", 22], ["r", 19]]) made.setAttribute(name, value);
  return made;
}

function ring() {
  const node = element("div", "ring");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 44 44");
  svg.setAttribute("aria-hidden", "true");
  const left = circle("left");
  left.setAttribute("stroke-dasharray", AROUND);
  svg.append(circle("track"), left);
  const number = element("span");
  node.append(svg, number);
  return { node, left, number };
}

function card(device) {
  const item = element("li");
  const who = element("div", "who");
  const names = element("div");
  names.append(element("strong", "", device.name), element("small", "", `${device.username ?? "user"} (user ${device.user_id}), device ${device.device_id}`));
  const badge = element("span", "badge");
  who.append(names, badge);
  const now = element("div", "now");
  const digits = element("span", "digits");
  now.append(digits);
  const turning = device.period ? ring() : null;
  if (turning) now.append(turning.node);
  const below = element("div", "below");
  const next = element("span");
  let code = "";
  const copy = element("button", "button copy", "Copy");
  copy.type = "button";
  copy.setAttribute("aria-label", `Copy the code of ${device.name}, ${device.username ?? device.user_id}`);
  below.append(next, copies(copy, () => code));
  item.append(who, now, below);
  return {
    item,
    show(device, frozen) {
      code = device.code;
      digits.textContent = grouped(device.code);
      item.classList.toggle("used", device.used);
      item.classList.toggle("late", Boolean(device.period) && device.seconds_left <= 5);
      badge.className = `badge ${{ active: "success", pending: "warning", disabled: "danger" }[device.state]}`;
      badge.textContent = { active: device.factor.toUpperCase(), pending: "Not confirmed", disabled: "Disabled" }[device.state];
      if (turning) {
        turning.left.setAttribute("stroke-dashoffset", AROUND * (1 - device.seconds_left / device.period));
        turning.number.textContent = device.seconds_left;
        turning.node.title = frozen ? "The clock is stopped" : `${device.seconds_left} s left`;
      }
      const then = `${device.used ? "Used already. " : ""}Next: ${grouped(device.next_code)}`;
      if (next.textContent !== then) next.textContent = then;
    },
  };
}

async function look() {
  const { json, ok } = await call("GET", "/dev/authenticator");
  if (!ok) return;
  const present = new Set(json.devices.map((device) => device.device_id));
  for (const [id, { item }] of cards) {
    if (!present.has(id)) {
      item.remove();
      cards.delete(id);
    }
  }
  for (const device of json.devices) {
    if (!cards.has(device.device_id)) {
      const made = card(device);
      cards.set(device.device_id, made);
      list.append(made.item);
    }
    cards.get(device.device_id).show(device, json.frozen);
  }
  none.hidden = json.devices.length > 0;
}

/** Enrols an authenticator through the API, and confirms it with its first code. */
async function enrol(user) {
  const asks = await api();
  const path = `/api/2/mfa/users/${user.id}`;
  const before = (await must("GET", `/dev/authenticator?user_id=${user.id}`)).devices.map((device) => device.device_id);
  const factors = await asks("GET", `${path}/factors`);
  const factor = factors.find((known) => known.auth_factor_name === "Google Authenticator");
  if (!factor) throw new Error(`${user.username} cannot enrol an authenticator`);
  const enrolled = await asks("POST", `${path}/registrations`, { factor_id: factor.factor_id, display_name: "Authenticator" });
  const { devices } = await must("GET", `/dev/authenticator?user_id=${user.id}`);
  const fresh = devices.find((device) => !before.includes(device.device_id));
  await asks("PUT", `${path}/registrations/${enrolled.id}`, { otp: fresh.code });
  await look();
}

const form = document.getElementById("enrol-form");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  fault.hidden = true;
  await enrol(chosen()).catch((error) => {
    fault.lastElementChild.textContent = error.message;
    fault.hidden = false;
  });
});

repeats("authenticator", 500, look);
