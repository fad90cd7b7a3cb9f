import { setMaxListeners } from "node:events";
import { RtpPeer } from "#test/agent/rtp-peer.ts";

/*
 * The little of a browser that the SDK asks for by name. The network itself
 * comes from RtpHandler.
 */

/** A bag of tracks. */
class TrackBag extends EventTarget {
  readonly #tracks: MediaStreamTrack[];

  constructor(tracks: MediaStreamTrack[] = []) {
    super();
    this.#tracks = [...tracks];
  }

  getTracks(): MediaStreamTrack[] {
    return [...this.#tracks];
  }

  getAudioTracks(): MediaStreamTrack[] {
    return this.#tracks.filter(({ kind }) => kind === "audio");
  }

  getVideoTracks(): MediaStreamTrack[] {
    return this.#tracks.filter(({ kind }) => kind === "video");
  }

  addTrack(track: MediaStreamTrack): void {
    if (!this.#tracks.includes(track)) this.#tracks.push(track);
  }

  removeTrack(track: MediaStreamTrack): void {
    const at = this.#tracks.indexOf(track);
    if (at >= 0) this.#tracks.splice(at, 1);
  }
}

/** The certificate of this process, which every peer in it uses. */
class Certificate {
  static #fingerprints: { algorithm: string; value: string }[] = [];

  static async generate(): Promise<Certificate> {
    Certificate.#fingerprints = (await RtpPeer.create()).dtlsParameters.fingerprints;
    return new Certificate();
  }

  getFingerprints() {
    return Certificate.#fingerprints;
  }
}

const window = new EventTarget();
const document = Object.assign(new EventTarget(), { hidden: false });
// Each room has its own.
setMaxListeners(0, window, document);

Object.assign(globalThis, {
  window,
  document,
  MediaStream: TrackBag,
  RTCPeerConnection: { generateCertificate: Certificate.generate },
});
