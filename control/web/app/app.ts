import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { asWeirError, connect, type Room, type WeirError } from "../sdk/index.ts";
import { show } from "./curious.ts";
import {
  type Deployment,
  fetchToken,
  linkToken,
  loadDeployment,
  roomInAddress,
} from "./deployment.ts";
import { EnterPage } from "./enter-page.ts";
import { LobbyPage } from "./lobby-page.ts";
import { problemText } from "./problem-text.ts";
import { RoomPage } from "./room-page.ts";

/** The room that the address names; a token in it is taken out at once. */
function roomAtDoor(): string | undefined {
  const roomId = roomInAddress();
  if (roomId) linkToken(roomId);
  return roomId;
}

/** The whole page: lobby, the door of a room, and the room. */
export function App() {
  const [deployment, setDeployment] = useState<Deployment>();
  const [problem, setProblem] = useState<WeirError>();
  const [roomId, setRoomId] = useState(roomAtDoor);
  const [room, setRoom] = useState<Room>();
  const [name, setName] = useState("");

  useEffect(() => {
    loadDeployment().then(setDeployment, (error) => setProblem(asWeirError(error)));
    const follow = () => setRoomId(roomInAddress());
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);

  // Going back in the browser's history leaves the room that was shown.
  useEffect(() => {
    if (!room || room.id === roomId) return;
    void room.leave();
    setRoom(undefined);
    show(undefined);
  }, [room, roomId]);

  const go = (path: string) => {
    history.pushState(null, "", path);
    setRoomId(roomInAddress());
  };

  const enter = async (identity: string) => {
    if (!deployment || !roomId) return;
    const enteredAtMs = performance.now();
    const entered = await connect({
      url: location.origin,
      roomId,
      token: () => fetchToken(deployment.open, roomId, identity),
      autoWatch: true,
    });
    show(entered, enteredAtMs);
    setName(identity);
    setRoom(entered);
  };

  const leave = () => {
    void room?.leave();
    show(undefined);
    setRoom(undefined);
    go("/");
  };

  const isChatOnly = (tier: number) =>
    deployment?.tiers.find((one) => one.tier === tier)?.broadcasts === 0;

  if (room && room.id === roomId) {
    const again = () => {
      show(undefined);
      setRoom(undefined);
    };
    return html`<${RoomPage}
      room=${room}
      name=${name}
      isChatOnly=${isChatOnly}
      showFleet=${deployment?.open ?? false}
      onLeave=${leave}
      onAgain=${again}
    />`;
  }
  if (problem || !deployment) {
    const text = problem ? problemText(problem.code) : "One moment…";
    return html`<main class="door"><p role="status" class="quiet">${text}</p></main>`;
  }
  if (roomId) {
    return html`<${EnterPage}
      deployment=${deployment}
      roomId=${roomId}
      onEnter=${enter}
      onLobby=${() => go("/")}
    />`;
  }
  return html`<${LobbyPage}
    deployment=${deployment}
    onOpened=${(id: string) => go(`/room/${id}`)}
  />`;
}
