import type { ToldCaps } from "#schema/caps.ts";
import type { Zone } from "#test/harness/zone.ts";
import { accountId, entry, type HostOptions, trackOf } from "./people.ts";
import { type Act, Asker, identityOf, pick, tierOf } from "./random-acts.ts";
import { RandomHosts } from "./random-hosts.ts";

interface Named {
  roomId: string;
  sessionId: string;
}
type Live = Named & { broadcastId: string; transportId: string; trackIds: string[] };
type Seen = Named & {
  transportId: string;
  viewId: string;
  broadcastId: string;
  workerId: string;
  generation: number;
};

/**
 * What a random walk has heard of, the dead as well as the living: late and
 * repeated requests are part of the walk. It learns from answers alone.
 */
export class RandomWorld {
  /** The caps that were told last, a version each. */
  #capsVersion = 0;
  readonly rooms: string[] = [];
  readonly sessions: Named[] = [];
  readonly broadcasts: Live[] = [];
  readonly views: Seen[] = [];
  readonly #capped: boolean;
  readonly #asker: Asker;
  readonly #hosts: RandomHosts;

  /** @param capped whether the account has caps, which change */
  constructor(zone: Zone, hosts: HostOptions[], capped = false) {
    this.#capped = capped;
    this.#asker = new Asker(zone);
    this.#hosts = new RandomHosts(this.#asker, hosts);
  }

  /** How often each answer was heard, as `decision code`. */
  get heard(): ReadonlyMap<string, number> {
    return this.#asker.heard;
  }

  async start(): Promise<void> {
    await this.#hosts.start();
    for (const b of [1, 3]) await this.run({ act: "openRoom", a: 0, b });
    for (let a = 0; a < 12; a += 1) await this.run({ act: "enter", a, b: 0 });
    for (let a = 0; a < 6; a += 1) await this.run({ act: "goLive", a: a * 2, b: 0 });
    for (let a = 0; a < 12; a += 3) await this.run({ act: "watchAll", a, b: 0 });
  }

  /** Asks one thing; what cannot be asked yet (nobody is there) is passed over. */
  async run({ act, a, b }: Act): Promise<void> {
    const room = pick(this.rooms, a);
    const session = pick(this.sessions, a);
    const live = pick(this.broadcasts, a);
    const view = pick(this.views, a);
    switch (act) {
      case "openRoom":
      case "openReserved": {
        const tier = tierOf(b);
        const reserve = act === "openReserved";
        const caps = this.#caps(b);
        const asked = { accountId, tier, reserve, caps };
        const made = await this.#asker.ask("createRoom", asked);
        if (tier > 0) this.#asker.note(`${act} ${made.ok ? "ok" : made.refusal.refusal}`);
        if (made.ok) this.rooms.push(made.value.id);
        return;
      }
      case "changeTier":
        if (room) await this.#change(room, { tier: tierOf(b) });
        return;
      case "reserve":
      case "unreserve":
        if (room) await this.#change(room, { reserve: act === "reserve" });
        return;
      case "show":
      case "unshow": {
        const otherRoomId = pick(this.rooms, b);
        const name = act === "show" ? "showBroadcast" : "unshowBroadcast";
        if (live && otherRoomId) await this.#asker.ask(name, { ...live, otherRoomId });
        return;
      }
      case "kick":
      case "ban":
      case "unban":
        if (session) await this.#asker.ask(act, { ...session, identity: identityOf(b) });
        return;
      case "closeRoom":
        if (room) await this.#asker.ask("closeRoom", { roomId: room, accountId });
        return;
      case "enter":
        if (room) await this.#enter(room);
        return;
      case "leave":
        if (session) await this.#asker.ask("leaveRoom", session);
        return;
      case "leaveTwice": {
        if (!session) return;
        const both = [
          this.#asker.ask("leaveRoom", session),
          this.#asker.ask("leaveRoom", session),
        ];
        const left = (await Promise.all(both)).filter((one) => one.ok && one.value.left);
        if (left.length > 1) throw new Error("A session left twice.");
        return;
      }
      case "attach":
        if (session) await this.#asker.ask("attachSession", session);
        return;
      case "detach":
        if (session) await this.#asker.ask("detachSession", session);
        return;
      case "goLive":
        if (session) await this.#goLive(session, "camera");
        return;
      case "goLiveScreen":
        if (session) await this.#goLive(session, "screen");
        return;
      case "addTrack":
        if (live) await this.#addTrack(live);
        return;
      case "mute":
        if (live) await this.#changeTrack(live, b, "paused");
        return;
      case "unmute":
        if (live) await this.#changeTrack(live, b, "playing");
        return;
      case "endTrack":
        if (live) await this.#changeTrack(live, b, "closed");
        return;
      case "stop":
        if (live) await this.#asker.ask("stopBroadcast", live);
        return;
      case "watchAll":
        if (session) await this.#watch(session, "all");
        return;
      case "watchOne":
        if (session && live) await this.#watch(session, [live.broadcastId]);
        return;
      case "watchSeveral": {
        if (!session) return;
        const from = this.broadcasts.filter((one) => one.roomId === session.roomId);
        const wanted = [b, b + 1, b + 2].flatMap((at) => pick(from, at) ?? []);
        await this.#watch(
          session,
          wanted.map((one) => one.broadcastId),
        );
        return;
      }
      case "release":
        if (view)
          await this.#asker.ask("releaseViews", { ...view, viewIds: [view.viewId] });
        return;
      case "activate":
        if (view)
          await this.#asker.ask("activateViews", { ...view, viewIds: [view.viewId] });
        return;
      case "openPipe":
        if (view) await this.#asker.ask("openPipes", { pipes: [view] });
        return;
      case "locate":
        if (view)
          await this.#asker.ask("locateViews", { ...view, viewIds: [view.viewId] });
        return;
      case "complain":
        if (view) await this.#asker.ask("viewLost", view);
        return;
      case "loseReceiving":
        if (view) await this.#lose(view, "receive");
        return;
      case "loseSending":
        if (live) await this.#lose(live, "send");
        return;
      case "resume":
        if (live) await this.#resume(live, b);
        return;
      default:
        return this.#hosts.run({ act, a, b });
    }
  }

  /** Now and then other caps, or late news of old ones. */
  #caps(b: number): ToldCaps | undefined {
    if (b % 3 > 0 || !this.#capped) return undefined;
    this.#capsVersion += b % 2;
    const egressKbps = 880 * (6 + (b % 20));
    const caps = { rooms: 2 + (b % 4), reservedPoints: b, sessions: 6 + (b % 9) };
    return { ...caps, egressKbps, version: this.#capsVersion };
  }

  async #enter(roomId: string): Promise<void> {
    const identity = identityOf(this.sessions.length);
    const who = { ...entry(roomId, identity), roomAdmin: true };
    const entered = await this.#asker.ask("enterRoom", who);
    if (!entered.ok) return;
    const session = { roomId, sessionId: entered.value.sessionId };
    this.sessions.push(session);
    // Every third one never comes with its channel.
    if (this.sessions.length % 3 > 0) await this.#asker.ask("attachSession", session);
  }

  async #change(
    roomId: string,
    change: { tier: number } | { reserve: boolean },
  ): Promise<void> {
    await this.#asker.ask("changeRoom", { roomId, accountId, ...change });
  }

  async #goLive(who: Named, media: "camera" | "screen"): Promise<void> {
    const claimed = await this.#asker.ask("claimBroadcast", { ...who, media });
    if (!claimed.ok) return;
    const { broadcastId, transportId } = claimed.value;
    const live = { ...who, broadcastId, transportId, trackIds: [] };
    this.broadcasts.push(live);
    await this.#addTrack(live);
  }

  async #addTrack(live: Live): Promise<void> {
    const track = trackOf("camera");
    const added = await this.#asker.ask("addTrack", { ...live, ...track });
    if (added.ok) live.trackIds.push(track.trackId);
  }

  /** Sends a broadcast anew, with all of its tracks or, now and then, not all. */
  async #resume(live: Live, b: number): Promise<void> {
    const resumed = await this.#asker.ask("resumeBroadcast", live);
    if (!resumed.ok) return;
    live.transportId = resumed.value.transportId;
    for (const trackId of live.trackIds.slice(b % 4 === 0 ? 1 : 0)) {
      await this.#asker.ask("resumeTrack", { ...live, trackId });
    }
  }

  async #changeTrack(
    live: Live,
    at: number,
    wanted: "playing" | "paused" | "closed",
  ): Promise<void> {
    const trackId = pick(live.trackIds, at);
    if (trackId) await this.#asker.ask("changeTrack", { ...live, trackId, wanted });
  }

  async #watch(who: Named, broadcasts: "all" | string[]): Promise<void> {
    const claimed = await this.#asker.ask("claimViews", { ...who, broadcasts });
    if (!claimed.ok) return;
    for (const { code } of claimed.value.refused) this.#asker.note(`view ${code}`);
    for (const { consumer, ...view } of claimed.value.views) {
      this.views.push({ ...who, ...view, workerId: consumer.workerId });
    }
  }

  async #lose(what: Live | Seen, direction: "send" | "receive"): Promise<void> {
    await this.#asker.ask("transportLost", {
      roomId: what.roomId,
      sessionId: what.sessionId,
      transportId: what.transportId,
      direction,
      broadcastId: direction === "send" ? what.broadcastId : undefined,
      viewIds: "viewId" in what ? [what.viewId] : [],
      reason: "the test cut it",
    });
  }
}
