import type { Entry, Room as RoomInfo } from "#schema/api/rooms.ts";
import type { BroadcastInfo } from "#schema/events.ts";
import type { StreamKey } from "./api.ts";
import { Attention } from "./attention.ts";
import { openCamera, openScreen } from "./capture.ts";
import type { Chat } from "./chat.ts";
import { Directory } from "./directory.ts";
import { Emitter } from "./emitter.ts";
import { WeirError } from "./errors.ts";
import { FlowWatch } from "./flow-watch.ts";
import {
  type FollowedBy,
  followEvent,
  followMessage,
  followResync,
} from "./follow-event.ts";
import type { Moderation } from "./moderation.ts";
import { Presence } from "./presence.ts";
import type { Publication } from "./publication.ts";
import { Publications } from "./publications.ts";
import { roomStats } from "./room-stats.ts";
import type { RoomStats } from "./stats.ts";
import { Talk } from "./talk.ts";
import type { CameraOptions, ConnectOptions, RoomEvents, RoomState } from "./types.ts";
import type { View } from "./view.ts";
import { Watcher } from "./watcher.ts";

/** A room as one participant has it: who is there, what is watched, sent and said. */
export class Room extends Emitter<RoomEvents> {
  readonly #options: ConnectOptions;
  readonly #presence: Presence;
  readonly #directory = new Directory();
  readonly #publications: Publications;
  readonly #watcher: Watcher;
  readonly #talk: Talk;
  readonly #attention: Attention;
  readonly #flowWatch: FlowWatch;
  #info: RoomInfo | undefined;

  constructor(options: ConnectOptions) {
    super();
    this.#options = options;
    const link = () => this.#presence.link;
    const tell: FollowedBy["tell"] = (name, payload) => this.#tell(name, payload);
    const { broadcasts } = this.#directory;
    const viewChanged = (view: View) => tell("view", view);
    this.#watcher = new Watcher({
      link,
      broadcasts,
      viewChanged,
      wantsPicture: (broadcastId) => this.#attention.wantsPicture(broadcastId),
    });
    const { views } = this.#watcher;
    const picturesMax = () => options.picturesMax ?? link()?.entry.picturesMax ?? 12;
    this.#attention = new Attention({ link, views, broadcasts, picturesMax });
    const missed = (view: View) => this.#watcher.missed(view);
    this.#flowWatch = new FlowWatch({ link, views, broadcasts, missed });
    const changed = (publication: Publication) => tell("publication", publication);
    this.#publications = new Publications({ link, changed });
    this.#talk = new Talk({ link, tell });
    const followed: FollowedBy = {
      directory: this.#directory,
      watcher: this.#watcher,
      publications: this.#publications,
      talk: this.#talk,
      autoWatch: options.autoWatch ?? false,
      sessionId: () => this.sessionId,
      tell,
      tier: (tier) => this.#setTier(tier),
      reopened: (tier, withinMs) => this.#reopened(tier, withinMs),
      closed: (reason) => this.#presence.close(new WeirError("room-closed", reason)),
    };
    this.#presence = new Presence(options, {
      event: (event) => followEvent(event, followed),
      resync: (state) => followResync(state, followed),
      message: (message) => followMessage(message, followed),
      chatSeq: () => this.chat.lastSeq,
      transportGone: (transportId) => {
        this.#watcher.seats.transportGone(transportId);
        this.#publications.transportGone(transportId);
      },
      entered: (entry) => this.#entered(entry),
      returned: () => this.#returned(),
      became: (state, error) => tell("state", { state, error }),
      closed: () => this.#closed(),
    });
  }

  get id(): string {
    return this.#options.roomId;
  }

  get state(): RoomState {
    return this.#presence.state;
  }

  /** Why it is closed or reconnecting. */
  get error(): WeirError | undefined {
    return this.#presence.error;
  }

  /** The room as it was at entry; `tier` follows reopenings. */
  get info(): RoomInfo | undefined {
    return this.#info;
  }

  /** This session's id; it changes when the room is entered again. */
  get sessionId(): string | undefined {
    return this.#presence.link?.entry.session.id;
  }

  /** Identities by session id, one's own included. */
  get sessions(): ReadonlyMap<string, string> {
    return this.#directory.sessions;
  }

  /** Live broadcasts by id, one's own included. */
  get broadcasts(): ReadonlyMap<string, BroadcastInfo> {
    return this.#directory.broadcasts;
  }

  /** What is watched, by broadcast id. */
  get views(): ReadonlyMap<string, View> {
    return this.#watcher.views;
  }

  /** What is said in the room. */
  get chat(): Chat {
    return this.#talk.chat;
  }

  /** The id of the broadcast that speaks, if any has. */
  get speaking(): string | undefined {
    return this.#talk.speaking;
  }

  /** What moderators do, and whom it hits. */
  get moderation(): Moderation {
    return this.#talk.moderation;
  }

  /** What this session sends. */
  get publications(): ReadonlySet<Publication> {
    return this.#publications.all;
  }

  /** @internal Enters for the first time. @throws WeirError why it cannot */
  async enter(requestedAtMs: number): Promise<void> {
    await this.#presence.enter();
    if (this.#options.autoWatch) this.watch("all", requestedAtMs);
  }

  /**
   * Watches broadcasts; what is refused is asked for again while it may pass.
   * @param which broadcast ids, or all that are live but one's own
   * @param requestedAtMs `performance.now()` of the click, for measuring
   */
  watch(which: Iterable<string> | "all", requestedAtMs = performance.now()): View[] {
    if (which !== "all") return this.#watcher.want(which, requestedAtMs);
    return this.#watcher.want(this.#directory.othersThan(this.sessionId), requestedAtMs);
  }

  /** Stops watching and gives the seats back. */
  unwatch(broadcastIds: Iterable<string>): void {
    for (const broadcastId of broadcastIds) this.#watcher.drop(broadcastId, true);
  }

  /**
   * Goes live with a camera or with any stream.
   * @throws WeirError `tier-broadcasts-exceeded`, `no-producer-capacity` and others
   */
  async publishCamera(options: CameraOptions = {}): Promise<Publication> {
    const stream = options.stream ?? (await openCamera(options));
    const { simulcast = true } = options;
    return this.#publications.publish({ media: "camera", stream, simulcast });
  }

  /**
   * Shows a screen, window or tab, with its sound where the browser has it. Whether
   * the servers have a place for it is asked before the browser asks which one.
   * @throws WeirError `no-screen-capacity`, `screen-not-chosen` and others
   */
  async publishScreen(options: { stream?: MediaStream } = {}): Promise<Publication> {
    await this.#presence.link?.runOwn((api) => api.mayBroadcast("screen"));
    const stream = options.stream ?? (await openScreen());
    return this.#publications.publish({ media: "screen", stream });
  }

  /**
   * Makes a key with which an encoder such as OBS publishes here by WHIP, under
   * the same identity.
   * @throws WeirError `forbidden` where the token does not let it publish
   */
  async makeStreamKey(): Promise<StreamKey> {
    const { link } = this.#presence;
    if (!link) throw new WeirError("session-lost", "The room is not entered.");
    return link.runOwn((api) => api.makeStreamKey());
  }

  /** What goes through all views and publications, since this was last asked. */
  stats(): Promise<RoomStats> {
    return roomStats(this.views, this.publications);
  }

  /** Leaves the room and gives back everything that was held. */
  leave(): Promise<void> {
    return this.#presence.leave();
  }

  #entered({ channelPath, room, session, sessions, broadcasts }: Entry): void {
    this.#talk.entered(channelPath);
    this.#info = room;
    this.#directory.reset({ sessions: [session, ...sessions], broadcasts });
  }

  #returned(): void {
    this.#watcher.restart();
    if (this.#options.autoWatch) this.watch("all");
    this.#publications.restart();
  }

  #closed(): void {
    this.#watcher.close();
    this.#attention.close();
    this.#flowWatch.close();
    this.#publications.close();
    this.chat.close();
  }

  #setTier(tier: number): void {
    if (this.#info) this.#info = { ...this.#info, tier };
  }

  #reopened(tier: number, withinMs: number): void {
    this.#presence.link?.greetWithin(withinMs);
    this.#setTier(tier);
    this.#tell("reopened", { tier });
  }

  #tell<Name extends keyof RoomEvents>(name: Name, payload: RoomEvents[Name]): void {
    this.#attention.follow(name, payload);
    this.emit(name, payload);
    if (name !== "changed") this.emit("changed", undefined);
  }
}
