import { connect } from "/sdk/weir.js";
import { linkOthers, roomAndToken, say } from "./lobby.js";

const pictures = document.querySelector("#pictures");
const figures = new Map();

try {
  const { roomId, token } = await roomAndToken("viewer");
  linkOthers();
  // Everyone is heard, and whoever is in sight is seen, in the size that is needed.
  const room = await connect({ url: location.origin, roomId, token, autoWatch: true });
  room.on("view", (view) => show(room, view));
  room.on("changed", () => say(describe(room)));
  say(describe(room));
} catch (error) {
  say(`${error.code ?? "failed"}: ${error.message}`);
}

function show(room, view) {
  const { broadcastId, state } = view;
  if (state === "closed") {
    figures.get(broadcastId)?.remove();
    figures.delete(broadcastId);
    return;
  }
  if (figures.has(broadcastId)) return;
  const figure = document.createElement("figure");
  const video = document.createElement("video");
  const caption = document.createElement("figcaption");
  video.autoplay = true;
  video.playsInline = true;
  // Browsers play sound only after a click on the page; a silent picture always.
  video.muted = !navigator.userActivation?.hasBeenActive;
  video.controls = video.muted;
  caption.textContent = room.broadcasts.get(broadcastId)?.identity ?? "";
  figure.append(video, caption);
  pictures.append(figure);
  figures.set(broadcastId, figure);
  view.attach(video);
}

function describe({ state, views }) {
  if (state !== "connected") return `${state}…`;
  return views.size === 0
    ? "Connected. Nobody is live yet: open Publish in another tab."
    : `Connected. ${views.size} live.`;
}
