import type { NodeEvent } from "#schema/agent/control.ts";
import { attachmentOf, type ChannelSockets } from "./channel-sockets.ts";

export type LiveSignal = Extract<NodeEvent, { kind: "speaker-active" | "view-quality" }>;

/** What is told and not kept: who speaks, and what a viewer gets. */
export class LiveSignals {
  readonly #sockets: ChannelSockets;
  /** Who spoke last, by room: only memory, told anew after a waking. */
  readonly #speaking = new Map<string, string>();

  constructor(sockets: ChannelSockets) {
    this.#sockets = sockets;
  }

  tell(signal: LiveSignal): void {
    const { roomId } = signal;
    if (signal.kind === "speaker-active") {
      const { broadcastId } = signal;
      // A room's producer workers each name their loudest: one change is one message.
      if (this.#speaking.get(roomId) === broadcastId) return;
      this.#speaking.set(roomId, broadcastId);
      this.#sockets.broadcast(roomId, { type: "speaker.active", broadcastId });
      return;
    }
    const { viewId, score, spatialLayer, temporalLayer } = signal;
    for (const socket of this.#sockets.ofRoom(roomId)) {
      if (attachmentOf(socket)?.sessionId !== signal.sessionId) continue;
      const quality = { viewId, score, spatialLayer, temporalLayer };
      this.#sockets.send(socket, { type: "view.quality", ...quality });
    }
  }

  /** Tells a newcomer who speaks, if anyone has. */
  greet(socket: WebSocket, roomId: string): void {
    const broadcastId = this.#speaking.get(roomId);
    if (broadcastId) this.#sockets.send(socket, { type: "speaker.active", broadcastId });
  }

  forget(roomId: string): void {
    this.#speaking.delete(roomId);
  }
}
