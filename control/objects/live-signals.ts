import type { NodeEvent } from "#schema/agent/control.ts";
import type { Watched } from "#schema/api/media.ts";
import type { ServerMessage } from "#schema/channel.ts";
import { attachmentOf, type ChannelSockets } from "./channel-sockets.ts";
import { Voices } from "./voices.ts";

export type LiveSignal =
  | Extract<NodeEvent, { kind: "speaker-active" | "speaker-silent" | "view-quality" }>
  | {
      kind: "broadcast-layers";
      roomId: string;
      sessionId: string;
      broadcastId: string;
      spatialLayer: number;
    }
  | { kind: "views-brought"; roomId: string; sessionId: string; watched: Watched };

type LayersMessage = Extract<ServerMessage, { type: "broadcast.layers" }>;

/**
 * What is told and not kept: who speaks, what a viewer gets, what a broadcaster need
 * not send, and media that came late. All of it is only memory, told anew after a waking.
 */
export class LiveSignals {
  readonly #sockets: ChannelSockets;
  readonly #voices = new Map<string, Voices>();
  /** The layers that a session was told of last: room -> session -> broadcast. */
  readonly #layers = new Map<string, Map<string, Map<string, LayersMessage>>>();

  constructor(sockets: ChannelSockets) {
    this.#sockets = sockets;
  }

  tell(signal: LiveSignal): void {
    const { roomId } = signal;
    switch (signal.kind) {
      case "speaker-active":
      case "speaker-silent": {
        const voices = this.#voices.get(roomId) ?? new Voices();
        this.#voices.set(roomId, voices);
        const changed = voices.hear(signal);
        const broadcastId = voices.speaking;
        if (!changed || !broadcastId) return;
        this.#sockets.broadcast(roomId, { type: "speaker.active", broadcastId });
        return;
      }
      case "view-quality": {
        const { viewId, score, spatialLayer, temporalLayer } = signal;
        const quality = { viewId, score, spatialLayer, temporalLayer };
        this.#tellSession(roomId, signal.sessionId, { type: "view.quality", ...quality });
        return;
      }
      case "broadcast-layers": {
        const { sessionId, broadcastId, spatialLayer } = signal;
        const told = this.#layersOf(roomId, sessionId);
        if (told.get(broadcastId)?.spatialLayer === spatialLayer) return;
        const type = "broadcast.layers";
        const message: LayersMessage = { type, broadcastId, spatialLayer };
        told.set(broadcastId, message);
        this.#tellSession(roomId, sessionId, message);
        return;
      }
      case "views-brought": {
        const { sessionId, watched } = signal;
        this.#tellSession(roomId, sessionId, { type: "views.brought", watched });
      }
    }
  }

  /** Tells a newcomer who speaks, and one who came back what is watched of theirs. */
  greet(socket: WebSocket, roomId: string, sessionId: string): void {
    const broadcastId = this.#voices.get(roomId)?.speaking;
    if (broadcastId) this.#sockets.send(socket, { type: "speaker.active", broadcastId });
    const told = this.#layers.get(roomId)?.get(sessionId)?.values() ?? [];
    for (const message of told) this.#sockets.send(socket, message);
  }

  /** The session or, without one, the whole room is over. */
  forget(roomId: string, sessionId?: string): void {
    if (sessionId !== undefined) {
      this.#layers.get(roomId)?.delete(sessionId);
      return;
    }
    this.#voices.delete(roomId);
    this.#layers.delete(roomId);
  }

  #layersOf(roomId: string, sessionId: string): Map<string, LayersMessage> {
    const room = this.#layers.get(roomId) ?? new Map();
    this.#layers.set(roomId, room);
    const told = room.get(sessionId) ?? new Map();
    room.set(sessionId, told);
    return told;
  }

  #tellSession(roomId: string, sessionId: string, message: ServerMessage): void {
    for (const socket of this.#sockets.ofRoom(roomId)) {
      if (attachmentOf(socket)?.sessionId === sessionId) {
        this.#sockets.send(socket, message);
      }
    }
  }
}
