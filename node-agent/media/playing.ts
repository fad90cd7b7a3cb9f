import type { types } from "mediasoup";
import type { CallResult } from "#schema/agent/call-results.ts";
import type { CallOf } from "#schema/agent/calls.ts";
import { gone } from "../calls/call-error.ts";
import { writeAnswer } from "../sdp/answer.ts";
import { type Offer, readOffer } from "../sdp/offer.ts";
import { type Playable, playable, sendingSection } from "../sdp/played.ts";
import { findLife, type MediaContext } from "./context.ts";
import type { IceSessions } from "./ice-sessions.ts";
import { type MirroredTrack, Mirrors } from "./mirrors.ts";
import type { Pairs } from "./pairs.ts";
import { type IncomingPipe, NoPipeError, type Piped } from "./piped.ts";
import type { Receiving } from "./receiving.ts";
import type { Transports } from "./transports.ts";

interface Parts {
  transports: Transports;
  pairs: Pairs;
  piped: Piped;
  receiving: Receiving;
  iceSessions: IceSessions;
}

/** Serves views to players that know SDP and nothing of mediasoup. */
export class Playing {
  readonly mirrors: Mirrors;
  readonly #context: MediaContext;
  readonly #parts: Parts;

  constructor(context: MediaContext, parts: Parts) {
    this.#context = context;
    this.#parts = parts;
    this.mirrors = new Mirrors(context);
  }

  /**
   * Makes a view of one broadcast from a player's offer, and the answer to it.
   * @throws CallError `invalid` where the offer cannot be taken, `gone` where
   *   the session is
   */
  async play(call: CallOf<"play">): Promise<CallResult<"play">> {
    const life = findLife(this.#context, call.worker);
    if (this.#context.generations.isClosed(call.sessionId)) throw gone("The session");
    const offer = readOffer(call.offer, "recvonly");
    await this.#parts.pairs.connectAll(life, call.pairs);
    let pipe: IncomingPipe;
    try {
      pipe = await this.#parts.piped.ensure(life, call.view);
    } catch (error) {
      if (!(error instanceof NoPipeError)) throw error;
      return { status: "failed", code: "no-pipe", reason: error.message };
    }
    const { headerExtensions = [] } = life.router.rtpCapabilities;
    const wanted = [...pipe.tracks.values()].flatMap(
      ({ producer }) => playable(offer, producer, headerExtensions) ?? [],
    );
    if (wanted.length === 0) {
      const reason = "The player asks for none of the broadcast's tracks and codecs.";
      return { status: "failed", code: "cannot-consume", reason };
    }
    const codecs = wanted.map(({ codec }) => codec);
    const { router, tracks } = await this.mirrors.open(life, pipe, codecs);
    try {
      return await this.#serve(call, offer, wanted, pipe, router, tracks);
    } catch (error) {
      for (const track of tracks) track.release();
      throw error;
    }
  }

  async #serve(
    call: CallOf<"play">,
    offer: Offer,
    wanted: Playable[],
    pipe: IncomingPipe,
    router: types.Router,
    tracks: MirroredTrack[],
  ): Promise<CallResult<"play">> {
    const { roomId, sessionId, transportId: id, view } = call;
    const { transports, receiving, iceSessions } = this.#parts;
    const { life } = pipe;
    const { transport } = await transports.open({
      id,
      direction: "receive",
      roomId,
      sessionId,
      life,
      router,
      carries: true,
    });
    transport.webRtc.observer.once("close", () => {
      for (const track of tracks) track.release();
    });
    const mirrored = new Map(tracks.map((track) => [track.producer.id, track]));
    const capabilities = {
      codecs: wanted.map(({ codec }) => codec),
      headerExtensions: wanted.flatMap(({ headerExtensions }) => headerExtensions),
    };
    try {
      const served = await receiving.serve(
        transport,
        view,
        { ...pipe, tracks: mirrored },
        capabilities,
        false,
      );
      if (served.status === "failed") throw new Error(served.reason);
      await transports.connect(transport, offer.dtlsParameters);
      const parameters = transports.parametersOf(transport);
      const setup = offer.dtlsParameters.role === "server" ? "active" : "passive";
      const sections = served.consumers.flatMap((consumer) => {
        const section = wanted.find((one) => one.section.kind === consumer.kind)?.section;
        if (!section) return [];
        const { broadcastId } = view;
        const rtpParameters = consumer.rtpParameters as types.RtpParameters;
        const told = { rtpParameters, trackId: consumer.trackId };
        const media = sendingSection({ section, broadcastId }, told, parameters, setup);
        return [{ mid: section.mid, media }];
      });
      const answer = writeAnswer(offer, parameters, sections);
      const etag = iceSessions.begin(id, offer.iceUfrag, answer);
      return { status: "ready", answer, etag };
    } catch (error) {
      transport.webRtc.close();
      throw error;
    }
  }
}
