import type { MediaKindWire } from "#schema/media.ts";
import { backoffMs } from "./backoff.ts";
import { claimPlace, resumePlace, type SendSource, sendAll } from "./claim-place.ts";
import { asWeirError, isPassing, passesOnReturn, WeirError } from "./errors.ts";
import type { Link } from "./link.ts";
import type { SentTracks } from "./sent-tracks.ts";

/** `live`, `interrupted` (it comes back by itself), or `failed` for good. */
export type PlaceState = "live" | "interrupted" | "failed";

export interface PlaceHost extends SendSource {
  became(state: PlaceState, error?: WeirError): void;
}

/**
 * A broadcast's place at the server: claimed, kept through losses and moves, and
 * claimed anew where control has ended it.
 */
export class Place {
  readonly #host: PlaceHost;
  #link: Link | undefined;
  #sent: SentTracks | undefined;
  /** What is still sent to where it moved away from. */
  #old: SentTracks | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  /** Raised by whatever makes the attempt that is under way pointless. */
  #turn = 0;
  #resuming = false;
  #ended = false;

  constructor(host: PlaceHost) {
    this.#host = host;
  }

  /** What is sent there, while there is a place. */
  get sent(): SentTracks | undefined {
    return this.#sent;
  }

  /**
   * Claims a place and sends the stream's tracks.
   * @throws WeirError why it cannot
   */
  async start(link: Link): Promise<void> {
    this.#clear();
    this.#link = link;
    try {
      this.#sent = await claimPlace(link, this.#host);
      await sendAll(this.#sent, this.#host);
    } catch (error) {
      // What was half made is given back: its place may be another's.
      this.#giveBack(link);
      throw asWeirError(error);
    }
    if (this.#ended || link.closed) this.#giveBack(link);
    else this.#isLive();
  }

  /** Claims a place anew, and tries again where that fails. */
  async restart(link: Link): Promise<void> {
    if (this.#ended) return;
    this.#host.became("interrupted");
    try {
      await this.start(link);
    } catch (error) {
      const problem = asWeirError(error);
      if (link.closed || this.#ended) return;
      if (!isPassing(problem.code) && !passesOnReturn(problem.code)) {
        this.#ended = true;
        this.#host.became("failed", problem);
        return;
      }
      this.#host.became("interrupted", problem);
      this.#retry = setTimeout(() => void this.restart(link), this.#pauseMs(problem));
    }
  }

  /** The server ended the broadcast: its host may have gone, so it starts elsewhere. */
  stopped(link: Link, broadcastId: string): void {
    if (broadcastId === this.#sent?.broadcastId) void this.restart(link);
  }

  /** Its transport is gone: the same broadcast goes on through another. */
  transportGone(link: Link, transportId: string): void {
    if (transportId !== this.#sent?.transportId) return;
    this.#host.became(
      "interrupted",
      new WeirError("network", "The connection was lost."),
    );
    if (!this.#resuming) void this.resume(link);
  }

  /**
   * Sends the same broadcast, with the same tracks, through another transport.
   * Where control has ended it meanwhile, it begins anew.
   * @param oldUntilMs `performance.now()` until which what is sent now arrives:
   *   it is sent as well for so long
   */
  async resume(link: Link, oldUntilMs = 0): Promise<void> {
    const old = this.#sent;
    // An attempt that is under way finds out by itself where to send.
    const isUnderWay = this.#resuming && this.#retry === undefined;
    if (!old || this.#ended || isUnderWay) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#turn += 1;
    const turn = this.#turn;
    const isMoot = () => turn !== this.#turn || link.closed;
    this.#resuming = true;
    if (performance.now() >= oldUntilMs) this.#host.became("interrupted");
    try {
      const sent = await resumePlace(link, this.#host, old, isMoot);
      if (!sent) return;
      this.#sent = sent;
      this.#retire(old, oldUntilMs);
      this.#isLive();
    } catch (error) {
      if (isMoot()) return;
      const problem = asWeirError(error);
      if (problem.code === "not-found") return await this.restart(link);
      if (performance.now() >= oldUntilMs) this.#host.became("interrupted", problem);
      const pauseMs = this.#pauseMs(problem);
      this.#retry = setTimeout(() => void this.resume(link, oldUntilMs), pauseMs);
    }
  }

  /** Stops or goes on sending a kind. @throws WeirError where nobody can be told */
  async pause(kind: MediaKindWire, paused: boolean): Promise<void> {
    this.#old?.hush(kind, paused);
    await this.#sent?.pause(kind, paused);
  }

  /** Sends a track in place of the one of its kind, or beside what is sent. */
  async send(track: MediaStreamTrack, isLive: boolean): Promise<void> {
    // A producer's own track is paused with it, and a new one has to be as well.
    const kind = track.kind as MediaKindWire;
    await this.#old?.producer(kind)?.replaceTrack({ track });
    const producer = this.#sent?.producer(kind);
    if (producer) await producer.replaceTrack({ track });
    else if (isLive) await this.#sent?.add(track);
  }

  /** Ends a kind. */
  async remove(kind: MediaKindWire): Promise<void> {
    this.#old?.hush(kind, true);
    await this.#sent?.remove(kind);
  }

  /** Ends the broadcast. */
  async stop(): Promise<void> {
    this.#ended = true;
    const broadcastId = this.#sent?.broadcastId;
    const link = this.#link;
    this.#clear();
    if (!broadcastId || !link || link.closed) return;
    await link.run((api) => api.stopBroadcast(broadcastId)).catch(() => {});
  }

  #retire(old: SentTracks, untilMs: number): void {
    this.#old?.close();
    this.#old = old;
    const close = () => {
      old.close();
      if (this.#old === old) this.#old = undefined;
    };
    setTimeout(close, Math.max(0, untilMs - performance.now()));
  }

  #isLive(): void {
    this.#resuming = false;
    this.#attempts = 0;
    this.#host.became("live");
  }

  #pauseMs(problem: WeirError): number {
    this.#attempts += 1;
    return Math.max(backoffMs(this.#attempts - 1, 1000), problem.retryAfterMs ?? 0);
  }

  #giveBack(link: Link): void {
    const broadcastId = this.#sent?.broadcastId;
    this.#clear();
    if (broadcastId && !link.closed) link.api.stopBroadcast(broadcastId).catch(() => {});
  }

  #clear(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#turn += 1;
    this.#resuming = false;
    this.#old?.close();
    this.#sent?.close();
    this.#old = undefined;
    this.#sent = undefined;
  }
}
