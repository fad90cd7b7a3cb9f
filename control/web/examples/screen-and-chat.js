import { connect } from "/sdk/weir.js";
import { linkOthers, roomAndToken, say } from "./lobby.js";

const [share, screen, log, form, text] = [
  "#share",
  "#screen",
  "#log",
  "#say",
  "#text",
].map((selector) => document.querySelector(selector));

const { roomId, token } = await roomAndToken(
  `guest-${Math.random().toString(36).slice(2, 6)}`,
);
linkOthers();
const room = await connect({ url: location.origin, roomId, token }).catch(fail);
if (room) {
  say("Connected. Nobody shows a screen.");
  room.on("chat", showChat);
  room.on("broadcast.started", watchScreen);
  room.on("broadcast.stopped", () => {
    if (![...room.broadcasts.values()].some(isScreen)) {
      say("Connected. Nobody shows a screen.");
    }
  });
  for (const broadcast of room.broadcasts.values()) watchScreen({ broadcast });
}

share.addEventListener("click", async () => {
  try {
    // Refused before the browser asks which screen, where the servers have no place.
    const publication = await room.publishScreen();
    screen.srcObject = publication.stream;
    screen.muted = true;
    say("You are showing your screen.");
  } catch (error) {
    fail(error);
  }
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  room.chat.say(text.value).catch(fail);
  text.value = "";
});

function isScreen({ media }) {
  return media === "screen";
}

/** Screens alone are watched here: cameras cost nothing. */
function watchScreen({ broadcast }) {
  if (!isScreen(broadcast) || broadcast.sessionId === room.sessionId) return;
  const [view] = room.watch([broadcast.id]);
  screen.muted = !navigator.userActivation?.hasBeenActive;
  view.attach(screen);
  say(`${broadcast.identity} shows a screen.`);
}

function showChat(messages) {
  const items = messages.map(({ identity, text: said }) => {
    const item = document.createElement("li");
    item.textContent = `${identity}: ${said}`;
    return item;
  });
  log.replaceChildren(...items);
}

function fail(error) {
  say(`${error.code ?? "failed"}: ${error.message}`);
}
