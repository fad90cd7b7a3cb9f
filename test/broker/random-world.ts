import type { DecisionInput, DecisionName } from "#control/broker/decisions.ts";
import type { Zone } from "#test/harness/zone.ts";
import { accountId, entry, type HostOptions, registration, trackOf } from "./people.ts";

/** One random request: what to ask, and numbers that choose about whom. */
export interface Act {
  act: (typeof filling | typeof ordinary | typeof drastic)[number];
  a: number;
  b: number;
}

/** What fills a zone, what goes on in it, and what takes much away at once. */
export const filling = [
  "enter",
  "attach",
  "goLive",
  "watchAll",
  "watchAll",
  "watchOne",
  "watchSeveral",
  "activate",
  "openPipe",
] as const;
export const ordinary = [
  "leave",
  "leaveTwice",
  "detach",
  "goLiveScreen",
  "addTrack",
  "mute",
  "unmute",
  "endTrack",
  "show",
  "unshow",
  "kick",
  "ban",
  "unban",
  "stop",
  "release",
  "locate",
  "loseReceiving",
  "loseSending",
  "nodeHeard",
  "acknowledge",
  "uncordon",
] as const;
export const drastic = [
  "openRoom",
  "openReserved",
  "changeTier",
  "reserve",
  "unreserve",
  "closeRoom",
  "workerDied",
  "nodeAgain",
  "nodeSuspect",
  "nodeGone",
  "cordon",
] as const;

interface Named {
  roomId: string;
  sessionId: string;
}
type Live = Named & { broadcastId: string; trackIds: string[] };
type Seen = Named & {
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
  readonly rooms: string[] = [];
  readonly sessions: Named[] = [];
  readonly broadcasts: Live[] = [];
  readonly views: Seen[] = [];
  /** How often each answer was heard, as `decision code`. */
  readonly heard = new Map<string, number>();
  readonly #hosts: HostOptions[];
  readonly #epochs = new Map<string, number>();
  /** The incarnation of each worker, by id. */
  readonly #incarnations = new Map<string, string>();
  readonly #zone: Zone;

  constructor(zone: Zone, hosts: HostOptions[]) {
    this.#zone = zone;
    this.#hosts = hosts;
  }

  async start(): Promise<void> {
    for (let at = 0; at < this.#hosts.length; at += 1) await this.#register(at);
    for (const b of [1, 3]) await this.run({ act: "openRoom", a: 0, b });
    for (const act of ["enter", "attach", "goLive"] as const) {
      for (let a = 0; a < 4; a += 1) await this.run({ act, a, b: 0 });
    }
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
        const made = await this.#ask("createRoom", { accountId, tier, reserve });
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
        if (live && otherRoomId) await this.#ask(name, { ...live, otherRoomId });
        return;
      }
      case "kick":
      case "ban":
      case "unban":
        if (session) await this.#ask(act, { ...session, identity: identityOf(b) });
        return;
      case "closeRoom":
        if (room) await this.#ask("closeRoom", { roomId: room, accountId });
        return;
      case "enter":
        if (room) await this.#enter(room);
        return;
      case "leave":
        if (session) await this.#ask("leaveRoom", session);
        return;
      case "leaveTwice": {
        if (!session) return;
        const both = [this.#ask("leaveRoom", session), this.#ask("leaveRoom", session)];
        const left = (await Promise.all(both)).filter((one) => one.ok && one.value.left);
        if (left.length > 1) throw new Error("A session left twice.");
        return;
      }
      case "attach":
        if (session) await this.#ask("attachSession", session);
        return;
      case "detach":
        if (session) await this.#ask("detachSession", session);
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
        if (live) await this.#ask("stopBroadcast", live);
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
        if (view) await this.#ask("releaseViews", { ...view, viewIds: [view.viewId] });
        return;
      case "activate":
        if (view) await this.#ask("activateViews", { ...view, viewIds: [view.viewId] });
        return;
      case "openPipe":
        if (view) await this.#ask("openPipes", { pipes: [view] });
        return;
      case "locate":
        if (view) await this.#ask("locateViews", { ...view, viewIds: [view.viewId] });
        return;
      case "loseReceiving":
        if (view) await this.#lose(view, "receive");
        return;
      case "loseSending":
        if (live) await this.#lose(live, "send");
        return;
      default:
        return this.#runOnHost(act, a, b);
    }
  }

  async #runOnHost(act: Act["act"], a: number, b: number): Promise<void> {
    const at = a % this.#hosts.length;
    const nodeId = `node_test_${this.#hosts[at]?.name}`;
    const epoch = this.#epochs.get(nodeId) ?? 0;
    switch (act) {
      case "workerDied": {
        const workerId = `worker_test_${this.#hosts[at]?.name}_${b % 3}`;
        const incarnation = this.#incarnations.get(workerId) ?? "";
        const replacedBy = `${incarnation}+`;
        const died = { nodeId, epoch, workerId, incarnation, replacedBy };
        const { ok } = await this.#ask("workerDied", died);
        if (ok) this.#incarnations.set(workerId, replacedBy);
        return;
      }
      case "nodeAgain":
        return this.#register(at);
      case "nodeSuspect":
      case "nodeGone": {
        const state = act === "nodeGone" ? "gone" : "suspect";
        await this.#ask("nodeSilent", { nodeId, epoch, state });
        return;
      }
      case "nodeHeard": {
        const heard = {
          nodeId,
          epoch,
          draining: b % 4 === 0,
          egressKbps: 0,
          workers: [],
        };
        await this.#ask("nodeHeard", heard);
        return;
      }
      case "cordon":
      case "uncordon":
        await this.#ask("cordonNode", { nodeId, cordoned: act === "cordon" });
        return;
      case "acknowledge":
        await this.#ask("acknowledge", { nodeId, seq: b });
    }
  }

  async #ask<Name extends DecisionName>(name: Name, input: DecisionInput<Name>) {
    const answer = await this.#zone.ask(name, input);
    if (!answer.ok && answer.refusal.refusal === "internal") {
      throw new Error(`${name} made a mistake: ${JSON.stringify(this.#zone.alerts)}`);
    }
    this.#note(`${name} ${answer.ok ? "ok" : answer.refusal.refusal}`);
    return answer;
  }

  #note(what: string): void {
    this.heard.set(what, (this.heard.get(what) ?? 0) + 1);
  }

  async #register(at: number): Promise<void> {
    const request = registration(this.#hosts[at] ?? {});
    const answer = await this.#ask("registerNode", request);
    if (!answer.ok) return;
    this.#epochs.set(answer.value.nodeId, answer.value.epoch);
    for (const { ordinal, incarnation } of request.workers) {
      this.#incarnations.set(`worker_test_${request.name}_${ordinal}`, incarnation);
    }
  }

  async #enter(roomId: string): Promise<void> {
    const identity = identityOf(this.sessions.length);
    const who = { ...entry(roomId, identity), roomAdmin: true };
    const entered = await this.#ask("enterRoom", who);
    if (entered.ok) this.sessions.push({ roomId, sessionId: entered.value.sessionId });
  }

  async #change(
    roomId: string,
    change: { tier: number } | { reserve: boolean },
  ): Promise<void> {
    await this.#ask("changeRoom", { roomId, accountId, ...change });
  }

  async #goLive(who: Named, media: "camera" | "screen"): Promise<void> {
    const claimed = await this.#ask("claimBroadcast", { ...who, media });
    if (!claimed.ok) return;
    const live = { ...who, broadcastId: claimed.value.broadcastId, trackIds: [] };
    this.broadcasts.push(live);
    await this.#addTrack(live);
  }

  async #addTrack(live: Live): Promise<void> {
    const track = trackOf("camera");
    const added = await this.#ask("addTrack", { ...live, ...track });
    if (added.ok) live.trackIds.push(track.trackId);
  }

  async #changeTrack(
    live: Live,
    at: number,
    wanted: "playing" | "paused" | "closed",
  ): Promise<void> {
    const trackId = pick(live.trackIds, at);
    if (trackId) await this.#ask("changeTrack", { ...live, trackId, wanted });
  }

  async #watch(who: Named, broadcasts: "all" | string[]): Promise<void> {
    const claimed = await this.#ask("claimViews", { ...who, broadcasts });
    if (!claimed.ok) return;
    for (const { code } of claimed.value.refused) this.#note(`view ${code}`);
    for (const { viewId, broadcastId, consumer, generation } of claimed.value.views) {
      const { workerId } = consumer;
      this.views.push({ ...who, viewId, broadcastId, workerId, generation });
    }
  }

  async #lose(what: Live | Seen, direction: "send" | "receive"): Promise<void> {
    await this.#ask("transportLost", {
      roomId: what.roomId,
      sessionId: what.sessionId,
      direction,
      broadcastId: direction === "send" ? what.broadcastId : undefined,
      viewIds: "viewId" in what ? [what.viewId] : [],
      reason: "the test cut it",
    });
  }
}

const tierOf = (at: number) => [0, 1, 1, 2][at % 4] ?? 1;
const identityOf = (at: number) => `identity ${at % 6}`;

/** Late ones are asked for more often: they are more likely to be alive. */
function pick<T>(items: readonly T[], at: number): T | undefined {
  return items.at(-1 - (at % Math.max(1, items.length)));
}
