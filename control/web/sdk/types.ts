import type { types } from "mediasoup-client";
import type { ChatMessage } from "#schema/channel.ts";
import type { BroadcastInfo } from "#schema/events.ts";
import type { CameraChoice } from "./capture.ts";
import type { WeirError } from "./errors.ts";
import type { Publication } from "./publication.ts";
import type { View } from "./view.ts";

/** `connected`; `reconnecting`: media goes on where it can; `closed`: over for good. */
export type RoomState = "connected" | "reconnecting" | "closed";

/** What a room tells its listeners of, and what comes with it. */
export interface RoomEvents {
  /** Anything below, for those who draw everything anew. */
  changed: undefined;
  state: { state: RoomState; error: WeirError | undefined };
  "session.joined": { sessionId: string; identity: string };
  "session.left": { sessionId: string };
  "broadcast.started": { broadcast: BroadcastInfo };
  /** With a reason where nobody stopped it: an encoder was lost, or sent too much. */
  "broadcast.stopped": {
    broadcastId: string;
    broadcast: BroadcastInfo | undefined;
    reason?: string;
  };
  /** A track came, went or was muted, or all of it was interrupted or resumed. */
  "broadcast.changed": { broadcast: BroadcastInfo };
  view: View;
  publication: Publication;
  /** The chat, oldest message first, after something was said or taken back. */
  chat: readonly ChatMessage[];
  /** Someone was muted, unmuted, sent out or banned, or one may moderate now. */
  moderated: undefined;
  /** Someone else is the loudest now. */
  speaker: { broadcastId: string };
  /** What arrives of a view's picture: mediasoup's score (0-10) and the layers sent. */
  quality: {
    viewId: string;
    score: number;
    spatialLayer?: number;
    temporalLayer?: number;
  };
  /** The room goes on with another tier. */
  reopened: { tier: number };
}

/** How to enter a room. */
export interface ConnectOptions {
  /** The deployment's address, such as `https://weir.example`. */
  url: string;
  roomId: string;
  /**
   * A join token, or what fetches one. After its session was lost, the room is
   * entered again with the credential of that, for ten minutes after its end;
   * later on only with a function, or with a token that is still good.
   */
  token: string | (() => Promise<string>);
  /** Watch every broadcast but one's own, those to come included; false by default. */
  autoWatch?: boolean;
  /**
   * Cameras whose pictures are shown at once: in a larger room, those who spoke
   * last. The server's default (12) where left out; everyone is heard.
   */
  picturesMax?: number;
  /** Give the seat back when the page goes away; true by default. */
  leaveOnPageHide?: boolean;
  /** @internal How mediasoup-client reaches the network, where no browser does it. */
  device?: types.DeviceOptions;
}

/** What to send as one's camera and microphone. */
export interface CameraOptions extends CameraChoice {
  /** Any stream, in place of one's devices. */
  stream?: MediaStream;
  /** Three layers; true by default. */
  simulcast?: boolean;
}
