import type { types } from "mediasoup";
import type { Timing } from "../timing.ts";

/** What happens to a WebRtcTransport by itself. */
export interface TransportWatcher {
  /** DTLS is up. */
  onConnected: () => void;
  /** The client is gone for good; the transport should be closed. */
  onLost: (reason: string) => void;
}

/**
 * Watches ICE and DTLS of a transport until it closes. mediasoup itself never
 * gives up on a transport that does not connect, nor on one whose client left
 * without a word.
 * @returns a function that gives an ICE restart its full grace
 */
export function supervise(
  transport: types.WebRtcTransport,
  timing: Timing,
  watcher: TransportWatcher,
): () => void {
  let graceTimer: NodeJS.Timeout | undefined;
  const connectTimer = setTimeout(() => {
    watcher.onLost(`DTLS did not connect within ${timing.dtlsConnectMs} ms`);
  }, timing.dtlsConnectMs);

  const startGrace = () => {
    clearTimeout(graceTimer);
    graceTimer = setTimeout(() => {
      watcher.onLost(`ICE was disconnected for ${timing.iceGraceMs} ms`);
    }, timing.iceGraceMs);
  };

  transport.on("icestatechange", (state) => {
    if (state === "disconnected") startGrace();
    if (state === "connected" || state === "completed") clearTimeout(graceTimer);
  });
  transport.on("dtlsstatechange", (state) => {
    if (state === "connected") {
      clearTimeout(connectTimer);
      watcher.onConnected();
    }
    if (state === "failed") watcher.onLost("DTLS failed");
    if (state === "closed") watcher.onLost("the client closed the connection");
  });
  transport.observer.once("close", () => {
    clearTimeout(connectTimer);
    clearTimeout(graceTimer);
  });
  return () => {
    if (transport.iceState === "disconnected") startGrace();
  };
}
