import { FakeMediaStreamTrack } from "fake-mediastreamtrack";
import { Room } from "#control/web/sdk/room.ts";
import { Flow } from "./flow.ts";
import { RtpHandler } from "./rtp-handler.ts";

export interface ParticipantOptions {
  /** The way to control that is this participant's own. */
  url: string;
  roomId: string;
  identity: string;
  broadcasts: boolean;
  token: () => Promise<string>;
}

/** Someone in a room, by way of the real SDK: watches all, and may broadcast. */
export class Participant {
  readonly options: ParticipantOptions;
  /** What comes of each camera in the room, by the identity behind it. */
  readonly flows = new Map<string, Flow>();
  /** Flows that are over. */
  readonly past: Flow[] = [];
  /** Why its room was closed, where it was not asked to leave. */
  failure: string | undefined;
  entered = false;
  /** Whether its camera was on the air at least once and should be since. */
  sending = false;
  gone = false;
  readonly #room: Room;
  readonly #handlers = new Set<RtpHandler>();
  readonly #identities = new Map<string, string>();

  constructor(options: ParticipantOptions) {
    this.options = options;
    const onPacket = (streamId: string, kind: string) => {
      if (kind === "video") this.#see(streamId);
    };
    const made = (handler: RtpHandler) => {
      this.#handlers.add(handler);
      handler.once("@close", () => this.#handlers.delete(handler));
    };
    this.#room = new Room({
      url: options.url,
      roomId: options.roomId,
      token: options.token,
      autoWatch: true,
      leaveOnPageHide: false,
      device: { handlerFactory: RtpHandler.factory(onPacket, made) },
    });
    this.#room.on("changed", () => this.#learn());
    this.#room.on("state", ({ state, error }) => {
      if (state === "closed" && !this.gone) this.failure = error?.code ?? "closed";
    });
  }

  get identity(): string {
    return this.options.identity;
  }

  /** Enters, and broadcasts where it is to. @throws WeirError why it cannot */
  async enter(): Promise<void> {
    await this.#room.enter(performance.now());
    this.#learn();
    this.entered = true;
    if (!this.options.broadcasts) return;
    const tracks = (["audio", "video"] as const).map(
      (kind) => new FakeMediaStreamTrack({ kind }) as unknown as MediaStreamTrack,
    );
    const stream = new MediaStream(tracks);
    await this.#room.publishCamera({ stream, simulcast: false });
    this.sending = !this.gone;
  }

  /** The session that it is in at present. */
  get sessionId(): string | undefined {
    return this.#room.sessionId;
  }

  /** Lets every connection break through which its media comes or goes. */
  async breakTransports(): Promise<void> {
    await Promise.all([...this.#handlers].map((handler) => handler.break()));
  }

  /** Leaves and gives everything back. */
  async leave(): Promise<void> {
    this.#end();
    await this.#room.leave();
  }

  /**
   * Falls silent without a word. Its way to control has to be cut by the caller,
   * or the SDK would go on talking.
   */
  vanish(): void {
    this.#end();
    for (const handler of this.#handlers) handler.vanish();
    void this.#room.leave();
  }

  /** Follows which cameras of its room are on the air at present. */
  expect(identities: ReadonlySet<string>, nowMs: number): void {
    for (const identity of identities) {
      if (this.gone || !this.entered || identity === this.identity) continue;
      if (this.flows.has(identity)) continue;
      this.flows.set(identity, new Flow(identity, nowMs));
    }
    for (const [identity, flow] of this.flows) {
      if (identities.has(identity)) continue;
      flow.end(nowMs);
      this.flows.delete(identity);
      this.past.push(flow);
    }
  }

  /** What there is to say of it, for a report. */
  describe() {
    const nowMs = performance.now();
    const views = [...this.#room.views.values()].map((view) => {
      const { broadcastId, id, state, error } = view;
      return { broadcastId, id, state, error: error?.code, why: error?.message };
    });
    const sends = [...this.#room.publications].map(({ broadcastId, state, error }) => {
      return { broadcastId, state, error: error?.code };
    });
    const dark = [...this.flows.values()]
      .filter((flow) => flow.isDark(nowMs))
      .map(({ identity, lastAtMs }) => ({ identity, ms: Math.round(nowMs - lastAtMs) }));
    const { identity, roomId } = this.options;
    const { state, sessionId } = this.#room;
    return {
      identity,
      roomId,
      sessionId,
      state,
      failure: this.failure,
      dark,
      sends,
      views,
    };
  }

  /** A packet came: it is a picture where its stream is the one that is shown. */
  #see(streamId: string): void {
    for (const { broadcastId, feed } of this.#room.views.values()) {
      if (feed?.streamId !== streamId) continue;
      const identity = this.#identities.get(broadcastId);
      if (identity) this.flows.get(identity)?.packet(performance.now());
    }
  }

  #learn(): void {
    for (const { id, identity } of this.#room.broadcasts.values()) {
      this.#identities.set(id, identity);
    }
  }

  #end(): void {
    this.gone = true;
    this.sending = false;
    this.expect(new Set(), performance.now());
  }
}
