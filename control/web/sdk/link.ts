import { Device, type types } from "mediasoup-client";
import type { z } from "zod";
import type { credential, Entry } from "#schema/api/rooms.ts";
import type { ClientMessage, RoomStateWire, ServerMessage } from "#schema/channel.ts";
import type { OwnEvent, RoomEvent } from "#schema/events.ts";
import { enterRoom, SessionApi } from "./api.ts";
import { backoffMs, delay } from "./backoff.ts";
import { type Identification, makeIdentification } from "./certificate.ts";
import { Channel, type RefusedCode } from "./channel.ts";
import { asWeirError, isPassing, WeirError, type WeirErrorCode } from "./errors.ts";
import { Renewal } from "./renewal.ts";
import { Transports } from "./transports.ts";

export interface LinkHandlers {
  event(event: RoomEvent | OwnEvent): void;
  resync(state: RoomStateWire): void;
  /** The channel's welcome, chat and moderation. */
  message(message: ServerMessage): void;
  /** The last chat message known. */
  chatSeq(): number;
  /** Whether the channel is up, and why it is not where that is known. */
  online(online: boolean, error?: WeirError): void;
  /** The session is over, or the server sent the client away. */
  ended(code: WeirErrorCode): void;
  /** A transport is lost for good. */
  transportGone(transportId: string): void;
}

/**
 * One session in a room: its entry, credential, channel and transports. A room
 * that has to be entered again gets a new link, and this one is closed.
 */
export class Link {
  readonly entry: Entry;
  readonly api: SessionApi;
  readonly transports: Transports;
  readonly identification: Identification;
  /** Undefined where the zone had no media host at entry. */
  readonly #device: Device | undefined;
  readonly #channel: Channel;
  readonly #handlers: LinkHandlers;
  readonly #renewal: Renewal;
  #verifying = false;
  #closed = false;

  /**
   * Enters the room and opens the channel.
   * @param deviceOptions for runtimes whose WebRTC is no browser's
   * @throws WeirError why the room cannot be entered
   */
  static async enter(
    url: string,
    roomId: string,
    token: string,
    handlers: LinkHandlers,
    deviceOptions?: types.DeviceOptions,
  ): Promise<Link> {
    // The certificate is made while the request is on its way.
    const [entry, identification] = await Promise.all([
      enterRoom(url, roomId, token),
      makeIdentification(),
    ]);
    let device: Device | undefined;
    try {
      if (entry.routerRtpCapabilities) {
        device = await Device.factory(deviceOptions);
        const routerRtpCapabilities =
          entry.routerRtpCapabilities as types.RtpCapabilities;
        await device.load({ routerRtpCapabilities });
      }
    } catch (error) {
      throw new WeirError("unsupported", asWeirError(error).message, { cause: error });
    }
    return new Link(url, entry, identification, device, handlers);
  }

  private constructor(
    url: string,
    entry: Entry,
    identification: Identification,
    device: Device | undefined,
    handlers: LinkHandlers,
  ) {
    this.entry = entry;
    this.identification = identification;
    this.#device = device;
    this.#handlers = handlers;
    this.api = new SessionApi(url, entry.session.id, entry.credential);
    this.transports = new Transports({
      api: this.api,
      device: () => this.#loadedDevice(),
      identification,
      iceServers: entry.iceServers as RTCIceServer[],
      gone: (id) => handlers.transportGone(id),
    });
    const credential = () => this.api.credential;
    this.#channel = new Channel(
      new URL(entry.channelPath, url),
      entry.eventSeq,
      credential,
      {
        event: (event) => handlers.event(event),
        resync: (state) => handlers.resync(state),
        message: (message) => {
          if (message.type === "credential") this.#renewed(message);
          else handlers.message(message);
        },
        chatSeq: () => handlers.chatSeq(),
        online: (online) => handlers.online(online),
        refused: (code) => this.#refused(code),
      },
    );
    this.#renewal = new Renewal(entry.credentialExpiresAt, {
      askChannel: () => this.#channel.send({ type: "renew" }),
      askApi: async () => this.#renewed(await this.run((api) => api.renew())),
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends a message on the channel. @returns false where it is down */
  send(message: ClientMessage): boolean {
    return this.#channel.send(message);
  }

  /**
   * What this browser can receive.
   * @throws WeirError `unavailable` while the zone has no media host
   */
  get rtpCapabilities(): types.RtpCapabilities {
    return this.#loadedDevice().recvRtpCapabilities;
  }

  /**
   * What this browser can send.
   * @throws WeirError `unavailable` while the zone has no media host
   */
  get sendingCapabilities(): types.RtpCapabilities {
    return this.#loadedDevice().sendRtpCapabilities;
  }

  /**
   * Runs a call of the session; where its credential is refused, the session is
   * looked after.
   * @throws WeirError the call's
   */
  async run<T>(call: (api: SessionApi) => Promise<T>): Promise<T> {
    try {
      return await call(this.api);
    } catch (error) {
      const problem = asWeirError(error);
      if (!this.#closed && problem.code === "unauthenticated") void this.verify();
      throw problem;
    }
  }

  /**
   * Runs a call on the session itself, where not even `not-found` can mean
   * anything but the session's end.
   * @throws WeirError the call's
   */
  async runOwn<T>(call: (api: SessionApi) => Promise<T>): Promise<T> {
    try {
      return await this.run(call);
    } catch (error) {
      if (!this.#closed && asWeirError(error).code === "not-found") void this.verify();
      throw error;
    }
  }

  /**
   * The room was reopened: shows that this session is still there.
   * @param withinMs the time that the server gives for it
   */
  greetWithin(withinMs: number): void {
    // Spread out, so that a large room does not come back in one moment.
    const waitMs = Math.random() * Math.min(withinMs / 3, 5000);
    setTimeout(() => {
      if (!this.#closed) this.#channel.greet();
    }, waitMs);
  }

  /**
   * Finds out whether the session still lives, after something spoke against it.
   * Media goes on meanwhile: a control plane that fails must not end it.
   * @param refused whether the channel itself was refused; if not it is asked
   *   last, since it alone knows whether the person was sent away
   */
  async verify(refused = false): Promise<void> {
    if (this.#verifying) return;
    this.#verifying = true;
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        await this.api.renew();
        this.#channel.reconnect();
        break;
      } catch (error) {
        const { code, retryAfterMs = 0 } = asWeirError(error);
        if (!isPassing(code)) {
          if (refused) this.#handlers.ended("session-lost");
          else this.#channel.reconnect();
          break;
        }
        await delay(Math.max(retryAfterMs, backoffMs(attempt, 1000)));
      }
    }
    this.#verifying = false;
  }

  /** Ends what is local; the session itself ends at the server after its grace. */
  close(): void {
    this.#closed = true;
    this.#renewal.close();
    this.#channel.close();
    this.transports.close();
  }

  #loadedDevice(): Device {
    if (this.#device) return this.#device;
    throw new WeirError("unavailable", "The zone has no media host at present.");
  }

  #refused(code: RefusedCode): void {
    // Only these three are final whatever the session's state is.
    if (code === "superseded" || code === "kicked" || code === "banned") {
      this.#handlers.ended(code);
      return;
    }
    if (code === "too-slow") {
      const sentence = "This device fell behind the room's messages.";
      this.#handlers.online(false, new WeirError("too-slow", sentence));
    }
    void this.verify(true);
  }

  #renewed(renewed: z.infer<typeof credential>): void {
    this.api.credential = renewed.credential;
    this.transports.renewIceServers(renewed.iceServers as RTCIceServer[]);
    this.#renewal.restart(renewed.credentialExpiresAt);
  }
}
