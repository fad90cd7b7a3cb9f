/** Every delay of the agent, in milliseconds. */
export interface Timing {
  /** A transport without DTLS after this is closed and reported lost. */
  dtlsConnectMs: number;
  /** ICE `disconnected` leaves this long for a restart. */
  iceGraceMs: number;
  /** A session that lives by a transport on which nothing came for this long is over. */
  carrierSilenceMs: number;
  /** A video leg that nobody said to be wanted starts after this. */
  legHoldMs: number;
  /** A receiving transport without views closes after this. */
  idleTransportMs: number;
  /** Answers are kept this long, for a call that is offered again. */
  answerKeepMs: number;
  /** A request to control, other than a poll, is given up after this. */
  requestTimeoutMs: number;
  /** The first pause after a failed request; doubled up to `backoffMaxMs`. */
  backoffMinMs: number;
  backoffMaxMs: number;
  /** A source that is over its bitrate by more than the factor for this long is closed. */
  overBitrateMs: number;
  /** Layers that nobody watches any more are told after this. */
  layerLoweringMs: number;
  /**
   * A pair on which nothing came for this long is reported. Above the five seconds
   * in which the far end of a leg tells of itself at the latest.
   */
  pairDryMs: number;
  /** An idle pair whose peer has a newer one closes after this. */
  idlePairMs: number;
  /** A worker that answered nothing for this long hangs: it is killed and replaced. */
  workerSilentMs: number;
  /** An agent that ends waits for so long until control has taken its goodbye. */
  goodbyeMs: number;
  /** Health says ill where control was not heard for this long. */
  unheardMs: number;
}

export const defaultTiming: Timing = {
  dtlsConnectMs: 15_000,
  iceGraceMs: 15_000,
  carrierSilenceMs: 25_000,
  legHoldMs: 1000,
  idleTransportMs: 3000,
  answerKeepMs: 60_000,
  requestTimeoutMs: 10_000,
  backoffMinMs: 250,
  backoffMaxMs: 5000,
  overBitrateMs: 10_000,
  layerLoweringMs: 2000,
  pairDryMs: 8000,
  idlePairMs: 600_000,
  workerSilentMs: 15_000,
  goodbyeMs: 500,
  unheardMs: 15_000,
};
