// The real app in a frame, and prompts for it.
import { api, chooser, whenShown } from "/dev/kit.js";

const NAME = "Phone in the frame";
const frame = document.getElementById("frame");
const said = document.getElementById("phone-said");
const chosen = chooser("pair-user");

function report(tone, text) {
  said.className = `notice ${tone}`;
  said.lastElementChild.textContent = text;
  said.hidden = false;
}

/** Opens an address of the app, in the window that is open already if there is one. */
function show(address) {
  if (frame.hasAttribute("src")) frame.contentWindow.location.assign(address);
  else frame.src = address;
}

async function pushOf(asks, user) {
  const devices = await asks("GET", `/api/2/mfa/users/${user.id}/devices`);
  return devices.find((device) => device.auth_factor_name === "OneLogin")?.device_id;
}

async function pair(user) {
  const asks = await api();
  const path = `/api/2/mfa/users/${user.id}`;
  const before = await pushOf(asks, user);
  if (before) await asks("DELETE", `${path}/devices/${before}`);
  const enrolled = await asks("POST", `${path}/registrations`, { factor_id: 1, display_name: NAME });
  show(`/app#${enrolled.factor_data.verification_token}`);
  report("info", `The app shows the code of ${user.username}. Confirm it there.`);
}

async function ask(user) {
  const asks = await api();
  const device = await pushOf(asks, user);
  if (!device) return report("warning", `${user.username} has no phone yet. Pair this one first.`);
  await asks("POST", `/api/2/mfa/users/${user.id}/verifications`, { device_id: device });
  report("info", `A prompt is on its way to the phone of ${user.username}.`);
}

for (const [id, act] of [["pair-form", pair], ["ask-form", ask]]) {
  const form = document.getElementById(id);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    await act(chosen()).catch((error) => report("danger", error.message));
    button.disabled = false;
  });
}

whenShown("phone", (is) => {
  if (is && !frame.hasAttribute("src")) frame.src = frame.dataset.src;
});
