import { PictureLossIndication, RtcpPayloadSpecificFeedback, RtpHeader } from "werift";
import type { RtpPeer } from "./rtp-peer.ts";

// A VP8 descriptor that starts a partition, then a frame's tag: its lowest bit says
// whether the frame builds on those before it.
const keyFrame = [0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0];
const otherFrame = [0x10, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const frameEveryMs = 20;

/**
 * Sends a picture as an encoder does: one keyframe at the beginning, and then only
 * when it is asked for one. It counts how often it was.
 */
export class PictureSource {
  /** `performance.now()` of each keyframe request. */
  readonly asked: number[] = [];
  #keyFrameDue = true;
  readonly #timer: NodeJS.Timeout;

  constructor(peer: RtpPeer, ssrc: number) {
    peer.dtls.onRtcp.subscribe((packet) => {
      if (!(packet instanceof RtcpPayloadSpecificFeedback)) return;
      if (!(packet.feedback instanceof PictureLossIndication)) return;
      this.asked.push(performance.now());
      this.#keyFrameDue = true;
    });
    let count = 0;
    this.#timer = setInterval(() => {
      count += 1;
      const header = new RtpHeader({
        ssrc,
        payloadType: 101,
        sequenceNumber: count & 0xffff,
        timestamp: (count * frameEveryMs * 90) >>> 0,
        marker: true,
      });
      const frame = this.#keyFrameDue ? keyFrame : otherFrame;
      this.#keyFrameDue = false;
      void peer.dtls.sendRtp(Buffer.from(frame), header);
    }, frameEveryMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
