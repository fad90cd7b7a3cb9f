import { nodeIdOfWorker } from "#schema/ids.ts";
import type { MediaClass } from "#schema/settings.ts";
import { endLeaving, endResume } from "../broadcast-moves.ts";
import { endSession, releaseView } from "../claims.ts";
import { roomsOnNode } from "../clearing.ts";
import { type Decision, roomsBeside } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { drainMore } from "../drain.ts";
import { endHold } from "../failing.ts";
import { makeRoom, roomsToMakeRoom } from "../make-room.ts";
import { closePipe } from "../pipes.ts";
import { serveWaiting } from "../rehouse.ts";
import type { DeadlineRow, ZoneState } from "../state.ts";
import { loseUnconnected } from "./media.ts";

/** The broker's alarm: acts on what is due. */
export const tick: Decision<{ most: number; nowMs: number }, { acted: number }> = {
  rooms: ({ most, nowMs }, state) => {
    const rooms = new Set<string>();
    for (const { kind, key, roomId } of state.deadlines.due(nowMs, most)) {
      for (const id of roomsOf(kind, key, state, most)) rooms.add(id);
      if (!roomId) continue;
      for (const id of roomsBeside(roomId, state)) rooms.add(id);
    }
    return rooms;
  },
  decide(draft, { most, nowMs }) {
    const { state } = draft;
    // Others of the group may have cleared deadlines, so that later ones move
    // up whose rooms nobody loaded: the next alarm is at once, and serves them.
    const due = state.deadlines.due(nowMs, most).filter(({ kind, key, roomId }) => {
      const needed = roomId ? [...roomsBeside(roomId, state)] : [];
      if (kind === "drain") needed.push(...roomsOnNode(key, state));
      return needed.every((id) => state.rooms.has(id));
    });
    for (const row of due) {
      draft.clearDeadline(row.kind, row.key);
      expire(draft, row, most);
    }
    if (due.some(({ kind }) => kind === "waiting")) {
      // What is due beside it has lost views too, and leaves less to this commit.
      serveWaiting(draft, Math.max(1, most - due.length + 1));
    }
    return { acted: due.length };
  },
};

/** The rooms that a deadline without a room of its own needs. */
function roomsOf(
  kind: DeadlineRow["kind"],
  key: string,
  state: ZoneState,
  most: number,
): Iterable<string> {
  if (kind === "waiting") return state.waiting.upcoming(most).map((row) => row.roomId);
  if (kind === "drain") return roomsOnNode(key, state);
  return kind === "defragment" ? roomsToMakeRoom(state, key as MediaClass) : [];
}

function expire(draft: Draft, { kind, key, roomId }: DeadlineRow, most: number): void {
  const { state } = draft;
  if (kind === "node-hold") endHold(draft, key);
  if (kind === "drain") drainMore(draft, key, most);
  if (kind === "defragment") makeRoom(draft, key as MediaClass);
  if (kind === "pipe-linger") {
    const [broadcastId = "", workerId = ""] = key.split(" ");
    const pipe = state.picture.pipe(broadcastId, workerId);
    if (pipe?.state === "lingering") closePipe(draft, pipe);
    return;
  }
  const room = state.rooms.get(roomId);
  if (!room) return;
  if (kind === "view-claim") {
    const late = [...room.views.values()].filter(
      (view) => view.transportId === key && view.state === "claimed",
    );
    for (const view of late) {
      loseUnconnected(draft, room, view, "its media never connected");
    }
    return;
  }
  if (kind === "resume" || kind === "leave") {
    const broadcast = state.broadcasts.get(key);
    if (!broadcast) return;
    if (kind === "resume") endResume(draft, broadcast);
    else endLeaving(draft, broadcast);
    return;
  }
  if (kind === "move") {
    const move = room.moves.get(key);
    const next = move && room.views.get(move.toViewId);
    // The old seat goes where the new one is in use, else the other way round.
    const goes = next?.state === "active" ? room.views.get(key) : next;
    if (goes && goes === next) room.shunned.set(key, nodeIdOfWorker(goes.workerId));
    if (goes) releaseView(draft, room, goes, true);
    return;
  }
  if (kind !== "session-attach" && kind !== "session-grace") return;
  const session = room.sessions.get(key);
  if (session) endSession(draft, room, session);
}
