import { connect, listDevices } from "/sdk/weir.js";
import { linkOthers, roomAndToken, say } from "./lobby.js";

const [own, live, mute, cameras, numbers] = [
  "#own",
  "#live",
  "#mute",
  "#cameras",
  "#numbers",
].map((selector) => document.querySelector(selector));

let publication;

const { roomId, token } = await roomAndToken("broadcaster");
linkOthers();
const room = await connect({ url: location.origin, roomId, token }).catch(fail);
if (room) say("Connected. You are not live.");

live.addEventListener("click", () => (publication ? stop() : start()).catch(fail));

mute.addEventListener("click", async () => {
  const muted = publication.isMuted("audio");
  await (muted ? publication.unmute("audio") : publication.mute("audio")).catch(fail);
  mute.textContent = muted ? "Mute" : "Unmute";
});

cameras.addEventListener("change", () => {
  publication.use("video", cameras.value).then(showOwn, fail);
});

// Once a second: what leaves this page.
setInterval(async () => {
  if (publication?.state !== "live") return;
  const { bitrateKbps, width, height, roundTripMs = 0 } = await publication.stats();
  numbers.textContent = `${width}×${height}, ${Math.round(bitrateKbps)} kbit/s, ${Math.round(roundTripMs)} ms`;
}, 1000);

async function start() {
  publication = await room.publishCamera();
  showOwn();
  say("You are live.");
  live.textContent = "Stop";
  mute.disabled = cameras.disabled = false;
  // Their names are known only now that the page may use one of them.
  const devices = await listDevices();
  cameras.replaceChildren(
    ...devices.cameras.map(({ id, label }) => new Option(label, id)),
  );
}

async function stop() {
  await publication.stop();
  publication = undefined;
  own.srcObject = null;
  say("Connected. You are not live.");
  live.textContent = "Go live";
  mute.disabled = cameras.disabled = true;
}

function showOwn() {
  own.srcObject = new MediaStream(publication.stream.getVideoTracks());
}

// Every error has a code to switch on, such as `device-refused` or `room-full`.
function fail(error) {
  publication = undefined;
  say(`${error.code ?? "failed"}: ${error.message}`);
}
