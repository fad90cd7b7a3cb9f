import type { Room as RoomInfo } from "#schema/api/rooms.ts";
import type { ServerMessage } from "#schema/channel.ts";
import type { BroadcastInfo } from "#schema/events.ts";
import type { StreamKey } from "./api.ts";
import { Attention } from "./attention.ts";
import { openCamera, openScreen } from "./capture.ts";
import type { Chat } from "./chat.ts";
import { Directory } from "./directory.ts";
import { Emitter } from "./emitter.ts";
import { enterAgain } from "./enter-again.ts";
import { asWeirError, WeirError, type WeirErrorCode } from "./errors.ts";
import { FlowWatch } from "./flow-watch.ts";
import { type FollowedBy, followEvent, followResync } from "./follow-event.ts";
import { Link, type LinkHandlers } from "./link.ts";
import type { Moderation } from "./moderation.ts";
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
  readonly #directory = new Directory();
  readonly #publications: Publications;
  readonly #watcher: Watcher;
  readonly #talk: Talk;
  readonly #attention: Attention;
  readonly #flowWatch: FlowWatch;
  #link: Link | undefined;
  #info: RoomInfo | undefined;
  #state: RoomState = "reconnecting";
  #error: WeirError | undefined;
  readonly #followed: FollowedBy;
  readonly #onPageHide = () =>
    void this.#link?.api.leave({ keepalive: true }).catch(() => {});

  constructor(options: ConnectOptions) {
    super();
    this.#options = options;
    const link = () => this.#link;
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
    const picturesMax = () => options.picturesMax ?? this.#link?.entry.picturesMax ?? 12;
    this.#attention = new Attention({ link, views, broadcasts, picturesMax });
    this.#flowWatch = new FlowWatch({ link, views, broadcasts });
    const changed = (publication: Publication) => tell("publication", publication);
    this.#publications = new Publications({ link, changed });
    this.#talk = new Talk({ link, tell });
    this.#followed = {
      directory: this.#directory,
      watcher: this.#watcher,
      autoWatch: options.autoWatch ?? false,
      sessionId: () => this.sessionId,
      tell,
      publications: this.#publications,
      tier: (tier) => this.#setTier(tier),
      reopened: (tier, withinMs) => this.#reopened(tier, withinMs),
      closed: (reason) => this.#close(new WeirError("room-closed", reason)),
    };
  }

  get id(): string {
    return this.#options.roomId;
  }

  get state(): RoomState {
    return this.#state;
  }

  /** Why it is closed or reconnecting. */
  get error(): WeirError | undefined {
    return this.#error;
  }

  /** The room as it was at entry; `tier` follows reopenings. */
  get info(): RoomInfo | undefined {
    return this.#info;
  }

  /** This session's id; it changes when the room is entered again. */
  get sessionId(): string | undefined {
    return this.#link?.entry.session.id;
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
    await this.#enter(await this.#token());
    if (this.#options.leaveOnPageHide !== false) {
      window.addEventListener("pagehide", this.#onPageHide);
    }
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
    await this.#link?.runOwn((api) => api.mayBroadcast("screen"));
    const stream = options.stream ?? (await openScreen());
    return this.#publications.publish({ media: "screen", stream });
  }

  /**
   * Makes a key with which an encoder such as OBS publishes here by WHIP, under
   * the same identity.
   * @throws WeirError `forbidden` where the token does not let it publish
   */
  async makeStreamKey(): Promise<StreamKey> {
    const link = this.#link;
    if (!link) throw new WeirError("session-lost", "The room is not entered.");
    return link.runOwn((api) => api.makeStreamKey());
  }

  /** What goes through all views and publications, since this was last asked. */
  stats(): Promise<RoomStats> {
    return roomStats(this.views, this.publications);
  }

  /** Leaves the room and gives back everything that was held. */
  async leave(): Promise<void> {
    const link = this.#link;
    this.#close(new WeirError("left", "You left the room."));
    await link?.api.leave().catch(() => {});
  }

  /** A fresh token of the application's, which may have to ask for one. */
  async #token(): Promise<string> {
    const { token } = this.#options;
    return typeof token === "string" ? token : await token();
  }

  /**
   * Comes back with the credential of the session that was lost, into its place;
   * where that is too old or void, with a token like anyone.
   */
  async #enterBack(credential: string | undefined): Promise<void> {
    if (credential === undefined) return this.#enter(await this.#token());
    try {
      await this.#enter(credential);
    } catch (error) {
      if (asWeirError(error).code !== "unauthenticated") throw error;
      await this.#enter(await this.#token());
    }
  }

  /** @param bearer a join token, or the credential of the session before */
  async #enter(bearer: string): Promise<void> {
    const { url, roomId, device } = this.#options;
    // The handlers belong to this one link: a late word of an older one is nothing.
    let entered: Link | undefined;
    const isCurrent = () => entered !== undefined && entered === this.#link;
    const handlers: LinkHandlers = {
      event: (event) => isCurrent() && followEvent(event, this.#followed),
      resync: (state) => isCurrent() && followResync(state, this.#followed),
      message: (message) => isCurrent() && this.#read(message),
      chatSeq: () => this.chat.lastSeq,
      online: (online, error) =>
        isCurrent() && this.#become(online ? "connected" : "reconnecting", error),
      ended: (code) => isCurrent() && void this.#ended(code),
      transportGone: (id) => {
        if (!isCurrent()) return;
        this.#watcher.transportGone(id);
        this.#publications.transportGone(id);
      },
    };
    const link = await Link.enter(url, roomId, bearer, handlers, device);
    if (this.#state === "closed") {
      link.close();
      return void link.api.leave().catch(() => {});
    }
    this.#talk.entered(link.entry.channelPath);
    entered = link;
    this.#link = link;
    this.#info = link.entry.room;
    const { session, sessions, broadcasts } = link.entry;
    this.#directory.reset({ sessions: [session, ...sessions], broadcasts });
    this.#become("connected");
  }

  #read(message: ServerMessage): void {
    if (message.type === "views.brought") {
      this.#watcher.brought(message.watched);
      return;
    }
    if (message.type === "broadcast.layers") {
      const { broadcastId, spatialLayer } = message;
      this.#publications.limitLayers(broadcastId, spatialLayer);
      return;
    }
    // What is watched may have changed unheard: all is sent until that is told.
    if (message.type === "welcome") this.#publications.limitLayers(undefined, 7);
    this.#talk.read(message);
  }

  async #ended(code: WeirErrorCode): Promise<void> {
    const error = new WeirError(code, "The session is over.");
    if (code !== "session-lost") return this.#close(error);
    const credential = this.#link?.api.credential;
    this.#link?.close();
    this.#link = undefined;
    this.#become("reconnecting", error);
    const givenUp = () => this.#isClosed();
    const failure = await enterAgain(() => this.#enterBack(credential), givenUp);
    if (failure) return this.#close(failure);
    if (this.#isClosed()) return;
    this.#watcher.restart();
    if (this.#options.autoWatch) this.watch("all");
    this.#publications.restart();
  }

  #setTier(tier: number): void {
    if (this.#info) this.#info = { ...this.#info, tier };
  }

  #reopened(tier: number, withinMs: number): void {
    this.#link?.greetWithin(withinMs);
    this.#setTier(tier);
    this.#tell("reopened", { tier });
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #close(error: WeirError): void {
    if (this.#isClosed()) return;
    window.removeEventListener("pagehide", this.#onPageHide);
    this.#attention.close();
    this.#flowWatch.close();
    this.#watcher.close();
    this.#link?.close();
    this.#publications.close();
    this.chat.close();
    this.#become("closed", error);
  }

  #become(state: RoomState, error?: WeirError): void {
    if (this.#state === state && (error === undefined || this.#error === error)) return;
    this.#state = state;
    this.#error = error;
    this.#tell("state", { state, error });
  }

  #tell<Name extends keyof RoomEvents>(name: Name, payload: RoomEvents[Name]): void {
    this.#attention.follow(name, payload);
    this.emit(name, payload);
    if (name !== "changed") this.emit("changed", undefined);
  }
}
