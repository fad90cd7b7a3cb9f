import type { types } from "mediasoup";

/**
 * Makes a leg that sends nothing, and asks its source for no keyframe, until it
 * is resumed. A leg that starts at once asks for a keyframe that comes before
 * anybody can take it, and holds up the one that counts: sources are asked for
 * one once a second at most, so that a burst of viewers does not flood them.
 * @throws Error as `consume` does
 */
export function makeLeg(
  transport: types.PipeTransport,
  router: types.Router,
  producer: types.Producer,
): Promise<types.Consumer> {
  if (!canBeHeld(producer)) return transport.consume({ producerId: producer.id });
  const { codecs = [], headerExtensions = [] } = router.rtpCapabilities;
  // PipeTransport's own `consume` takes no `paused`. The general one, which it
  // hides, does, and makes the same consumer where it is told what a pipe carries.
  const general = Object.getPrototypeOf(Object.getPrototypeOf(transport)) as Pick<
    types.WebRtcTransport,
    "consume"
  >;
  return general.consume.call(transport as unknown as types.WebRtcTransport, {
    producerId: producer.id,
    paused: true,
    pipe: true,
    enableRtx: true,
    rtpCapabilities: {
      codecs: codecs.map((codec) => ({
        ...codec,
        rtcpFeedback: codec.rtcpFeedback?.filter(({ type }) => pipeFeedback.has(type)),
      })),
      headerExtensions: headerExtensions.filter(({ uri }) => !perTransport.has(uri)),
    },
  });
}

/** Sound needs no keyframe, and AV1 an extension that only PipeTransport adds. */
function canBeHeld({ kind, rtpParameters }: types.Producer): boolean {
  const isAv1 = rtpParameters.codecs.some(({ mimeType }) =>
    /^video\/av1$/i.test(mimeType),
  );
  return kind === "video" && !isAv1;
}

/** NACK, PLI and FIR: what a pipe's end tells the other. */
const pipeFeedback = new Set(["nack", "ccm"]);

/** Header extensions that each transport numbers and measures by itself. */
const perTransport = new Set([
  "urn:ietf:params:rtp-hdrext:sdes:mid",
  "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
]);
