import type { types as client } from "mediasoup-client";
import type { CallResult } from "#schema/agent/call-results.ts";
import type { CallOf } from "#schema/agent/calls.ts";
import { sourcesOf } from "#schema/media.ts";
import { CallError } from "../calls/call-error.ts";
import { receivingSection, writeAnswer } from "../sdp/answer.ts";
import { readOffer, refused } from "../sdp/offer.ts";
import { type SentSection, sentSection } from "../sdp/sent.ts";
import { findLife, type MediaContext } from "./context.ts";
import type { IceSessions } from "./ice-sessions.ts";
import type { Sending } from "./sending.ts";

/** Takes broadcasts in from encoders that know SDP and nothing of mediasoup. */
export class Ingest {
  readonly #context: MediaContext;
  readonly #sending: Sending;
  readonly #iceSessions: IceSessions;

  constructor(context: MediaContext, sending: Sending, iceSessions: IceSessions) {
    this.#context = context;
    this.#sending = sending;
    this.#iceSessions = iceSessions;
  }

  /**
   * Makes the broadcast's transport and all its tracks from an offer, and the
   * answer to it. What fails leaves nothing behind.
   * @throws CallError `invalid` where the offer cannot be taken
   */
  async take(call: CallOf<"ingest">): Promise<CallResult<"ingest">> {
    const { broadcastId, transportId, roomId, sessionId, worker } = call;
    const life = findLife(this.#context, worker);
    const offer = readOffer(call.offer, "sendonly");
    const router = life.router.rtpCapabilities as client.RtpCapabilities;
    const sections = offer.sections.map((one) => sentSection(offer.sdp, one, router));
    const { transport } = await this.#sending.openTransport(
      {
        op: "open-send-transport",
        roomId,
        sessionId,
        worker,
        transportId,
        broadcastId,
        maxIncomingKbps: call.maxIncomingKbps,
        dtlsParameters: offer.dtlsParameters,
      },
      true,
    );
    try {
      const tracks = [];
      for (const section of sections) tracks.push(await this.#produce(call, section));
      const setup = offer.dtlsParameters.role === "server" ? "active" : "passive";
      const answer = writeAnswer(
        offer,
        transport,
        sections.map((section) => ({
          mid: section.mid,
          media: receivingSection(section, transport, setup),
        })),
      );
      const etag = this.#iceSessions.begin(transportId, offer.iceUfrag, answer);
      return { answer, etag, tracks };
    } catch (error) {
      this.#sending.closeBroadcast(broadcastId);
      throw error;
    }
  }

  async #produce(call: CallOf<"ingest">, { kind, rtpParameters }: SentSection) {
    const { roomId, sessionId, transportId, broadcastId, media } = call;
    const trackId = call.trackIds[kind];
    const source = sourcesOf[media][kind];
    try {
      await this.#sending.produce({
        op: "produce",
        roomId,
        sessionId,
        transportId,
        broadcastId,
        trackId,
        kind,
        source,
        rtpParameters: rtpParameters as never,
        paused: false,
      });
    } catch (error) {
      if (error instanceof CallError) throw error;
      // mediasoup refuses parameters that are no good by themselves.
      throw refused(`Its ${kind} section: ${(error as Error).message}.`);
    }
    return { id: trackId, kind, source };
  }
}
