import type { Page } from "playwright-core";

/** One click on Watch, in milliseconds; what a case has not is absent. */
export interface Figures {
  /** From the click to the first frame on the screen. */
  totalMs: number;
  /** Its parts, in their order; those of the request come after it. */
  parts: Partial<Record<Part, number>>;
}

/** The parts of a first frame: `of` names the part that contains it. */
export const parts = [
  { key: "askMs", title: "ask" },
  { key: "requestMs", title: "request" },
  { key: "claimMs", title: "commit", of: "requestMs" },
  { key: "legsMs", title: "call legs", of: "requestMs" },
  { key: "watchMs", title: "call watch", of: "requestMs" },
  { key: "negotiateMs", title: "negotiate" },
  { key: "iceMs", title: "ICE" },
  { key: "dtlsMs", title: "DTLS" },
  { key: "resumeMs", title: "resume" },
  { key: "keyFrameMs", title: "keyframe" },
  { key: "decodeMs", title: "decode, show" },
] as const;
export type Part = (typeof parts)[number]["key"];

/** The page's own globals: these files are compiled without the browser's types. */
interface PageWindow {
  weir: {
    room?: {
      watch(ids: string[], requestedAtMs: number): PageView[];
      unwatch(ids: string[]): void;
    };
  };
  /** When each peer connection of the page reached a state, by state. */
  peers: { connection: Peer; reached: Map<string, number> }[];
  RTCPeerConnection: new (...args: unknown[]) => Peer;
  document: {
    createElement(name: "video"): PageVideo;
    body: { append(v: PageVideo): void };
  };
}

interface Peer {
  connectionState: string;
  iceConnectionState: string;
  addEventListener(name: string, listener: () => void): void;
}

interface PageVideo {
  muted: boolean;
  autoplay: boolean;
  style: { cssText: string };
  remove(): void;
  requestVideoFrameCallback(
    callback: (nowMs: number, frame: { receiveTime?: number }) => void,
  ): void;
}

interface PageView {
  requestedAtMs: number;
  attach(video: PageVideo): () => void;
}

interface RequestTiming {
  name: string;
  startTime: number;
  responseEnd: number;
  serverTiming: { name: string; duration: number }[];
}

/** Makes a page note its peer connections' states; to be called before it loads. */
export async function notePeers(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const scope = globalThis as unknown as PageWindow;
    const Native = scope.RTCPeerConnection;
    const peers: PageWindow["peers"] = [];
    scope.peers = peers;
    scope.RTCPeerConnection = class extends Native {
      constructor(...args: unknown[]) {
        super(...args);
        const reached = new Map<string, number>();
        peers.push({ connection: this, reached });
        const note = (state: string) => {
          if (!reached.has(state)) reached.set(state, performance.now());
        };
        this.addEventListener("iceconnectionstatechange", () =>
          note(`ice ${this.iceConnectionState}`),
        );
        this.addEventListener("connectionstatechange", () => note(this.connectionState));
      }
    };
  });
}

/** How many of a page's peer connections are open. */
export function openPeers(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { peers } = globalThis as unknown as PageWindow;
    return peers.filter(({ connection }) => connection.connectionState !== "closed")
      .length;
  });
}

export function unwatch(page: Page, broadcastId: string): Promise<void> {
  return page.evaluate((id) => {
    (globalThis as unknown as PageWindow).weir.room?.unwatch([id]);
  }, broadcastId);
}

/** One click on Watch, timed by the page itself. */
export function watchOnce(page: Page, broadcastId: string): Promise<Figures> {
  return page.evaluate(async (id) => {
    const scope = globalThis as unknown as PageWindow;
    const { room } = scope.weir;
    if (!room) throw new Error("There is no room.");
    performance.clearResourceTimings();
    const before = new Set(scope.peers);
    const video = scope.document.createElement("video");
    video.muted = true;
    video.autoplay = true;
    // In sight, over the page: of what nobody sees only the sound is asked for.
    video.style.cssText = "position: fixed; inset: 0; width: 100%; height: 100%";
    scope.document.body.append(video);
    const [view] = room.watch([id], performance.now());
    if (!view) throw new Error("The broadcast is not there.");
    const detach = view.attach(video);
    const shown = await new Promise<{ atMs: number; receivedAtMs: number }>((resolve) => {
      video.requestVideoFrameCallback((atMs, { receiveTime }) =>
        resolve({ atMs, receivedAtMs: receiveTime ?? atMs }),
      );
    });
    detach();
    video.remove();

    const requests = performance.getEntriesByType("resource");
    const timingOf = (ending: string) =>
      requests.find(({ name }) => name.endsWith(ending)) as RequestTiming | undefined;
    const request = timingOf("/views");
    if (!request) throw new Error("The request for views left no timing.");
    const answeredAtMs = request.responseEnd;
    const served = (name: string) =>
      request.serverTiming.find((part) => part.name === name)?.duration;
    const peer = scope.peers.find((one) => !before.has(one));
    const checkingAtMs = peer?.reached.get("ice checking") ?? answeredAtMs;
    const iceAtMs = peer?.reached.get("ice connected") ?? checkingAtMs;
    const dtlsAtMs = peer?.reached.get("connected") ?? iceAtMs;
    const resumedAtMs = timingOf("/resume")?.responseEnd;
    const readyAtMs = peer ? dtlsAtMs : (resumedAtMs ?? answeredAtMs);
    return {
      totalMs: shown.atMs - view.requestedAtMs,
      parts: {
        askMs: request.startTime - view.requestedAtMs,
        requestMs: answeredAtMs - request.startTime,
        claimMs: served("claim"),
        legsMs: served("legs"),
        watchMs: served("watch"),
        negotiateMs: peer && checkingAtMs - answeredAtMs,
        iceMs: peer && iceAtMs - checkingAtMs,
        dtlsMs: peer && dtlsAtMs - iceAtMs,
        resumeMs: resumedAtMs && resumedAtMs - answeredAtMs,
        keyFrameMs: shown.receivedAtMs - readyAtMs,
        decodeMs: shown.atMs - shown.receivedAtMs,
      },
    };
  }, broadcastId);
}
