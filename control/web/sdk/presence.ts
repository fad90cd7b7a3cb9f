import type { Entry } from "#schema/api/rooms.ts";
import { enterAgain } from "./enter-again.ts";
import { asWeirError, WeirError, type WeirErrorCode } from "./errors.ts";
import { Link, type LinkHandlers } from "./link.ts";
import type { ConnectOptions, RoomState } from "./types.ts";

/** What a link tells, as long as it is the current one, and what becomes of it. */
export interface PresenceHost
  extends Pick<
    LinkHandlers,
    "event" | "resync" | "message" | "chatSeq" | "transportGone"
  > {
  /** The room was entered, for the first time or again. */
  entered(entry: Entry): void;
  /** Another session follows the one that was lost: all is asked for anew. */
  returned(): void;
  became(state: RoomState, error: WeirError | undefined): void;
  /** It is over for good: what lived by it is let go. */
  closed(): void;
}

/**
 * Someone's presence in a room. It lasts while sessions come and go: one that is
 * lost is followed by another, with a link of its own.
 */
export class Presence {
  readonly #options: ConnectOptions;
  readonly #host: PresenceHost;
  #link: Link | undefined;
  #state: RoomState = "reconnecting";
  #error: WeirError | undefined;
  readonly #onPageHide = () =>
    void this.#link?.api.leave({ keepalive: true }).catch(() => {});

  constructor(options: ConnectOptions, host: PresenceHost) {
    this.#options = options;
    this.#host = host;
  }

  /** The session's link, or undefined while the room is entered (again). */
  get link(): Link | undefined {
    return this.#link;
  }

  get state(): RoomState {
    return this.#state;
  }

  /** Why it is closed or reconnecting. */
  get error(): WeirError | undefined {
    return this.#error;
  }

  /** Enters for the first time. @throws WeirError why it cannot */
  async enter(): Promise<void> {
    await this.#enter(await this.#token());
    if (this.#options.leaveOnPageHide !== false) {
      window.addEventListener("pagehide", this.#onPageHide);
    }
  }

  /** Leaves the room and gives back everything that was held. */
  async leave(): Promise<void> {
    const link = this.#link;
    this.close(new WeirError("left", "You left the room."));
    await link?.api.leave().catch(() => {});
  }

  /** Ends what is local; the session itself ends at the server after its grace. */
  close(error: WeirError): void {
    if (this.#isClosed()) return;
    window.removeEventListener("pagehide", this.#onPageHide);
    this.#link?.close();
    this.#host.closed();
    this.#become("closed", error);
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
    const host = this.#host;
    // The handlers belong to this one link: a late word of an older one is nothing.
    let entered: Link | undefined;
    const isCurrent = () => entered !== undefined && entered === this.#link;
    const handlers: LinkHandlers = {
      event: (event) => isCurrent() && host.event(event),
      resync: (state) => isCurrent() && host.resync(state),
      message: (message) => isCurrent() && host.message(message),
      chatSeq: () => host.chatSeq(),
      online: (online, error) =>
        isCurrent() && this.#become(online ? "connected" : "reconnecting", error),
      ended: (code) => isCurrent() && void this.#ended(code),
      transportGone: (id) => isCurrent() && host.transportGone(id),
    };
    const link = await Link.enter(url, roomId, bearer, handlers, device);
    if (this.#isClosed()) {
      link.close();
      return void link.api.leave().catch(() => {});
    }
    host.entered(link.entry);
    entered = link;
    this.#link = link;
    this.#become("connected");
  }

  async #ended(code: WeirErrorCode): Promise<void> {
    const error = new WeirError(code, "The session is over.");
    if (code !== "session-lost") return this.close(error);
    const credential = this.#link?.api.credential;
    this.#link?.close();
    this.#link = undefined;
    this.#become("reconnecting", error);
    const givenUp = () => this.#isClosed();
    const failure = await enterAgain(() => this.#enterBack(credential), givenUp);
    if (failure) return this.close(failure);
    if (!this.#isClosed()) this.#host.returned();
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #become(state: RoomState, error?: WeirError): void {
    if (this.#state === state && (error === undefined || this.#error === error)) return;
    this.#state = state;
    this.#error = error;
    this.#host.became(state, error);
  }
}
