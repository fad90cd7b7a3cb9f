import { DurableObject } from "cloudflare:workers";
import type { OutboxItem } from "#schema/agent/instructions.ts";
import { Broker, type Committed } from "../broker/broker.ts";
import type { DecisionInput, DecisionName, DecisionOutput } from "../broker/decisions.ts";
import type { Answer, IdempotencyScope } from "../broker/requests.ts";
import type { ZoneState } from "../broker/state.ts";
import type { Numbered, RoomNews } from "../broker/telling.ts";
import { configOf, type Env } from "../env.ts";
import { openControlDatabase } from "../ledger/client.ts";
import { type Drift, findDrift } from "../ledger/drift.ts";
import { eventsAfter, outboxAfter, roomOf } from "../ledger/find.ts";
import { deleteOld } from "../ledger/retention.ts";
import { alarmFor } from "./alarm.ts";
import { ClaimLimits } from "./claim-limits.ts";
import { channelNameOf, channelOf, courierOf, mailboxOf } from "./names.ts";

/** An object that is discarded goes on for this long, for its last answers. */
const answersLeaveMs = 50;

/**
 * One per zone: the zone decides. It wraps the broker, which is the only writer
 * of the zone's control database, and tells mailboxes and channels of its
 * commits.
 */
export class ZoneBroker extends DurableObject<Env> {
  readonly #client;
  readonly #broker: Broker;
  readonly #limits: ClaimLimits;
  /** The alarm that is set; an early one is harmless, so it is seldom moved. */
  #alarmMs: number | undefined;
  #isDiscarded = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const config = configOf(env);
    const { zone, settings } = config;
    this.#client = openControlDatabase(config);
    this.#limits = new ClaimLimits(settings.limits);
    this.#broker = new Broker({
      zone,
      client: this.#client,
      settings,
      now: () => Date.now(),
      onCommitted: (committed) => {
        this.#ring(committed);
        this.#ringCouriers(committed);
      },
      onDeadline: (atMs) => this.#setAlarm(atMs),
      onAlert: (what, details) =>
        console.error(JSON.stringify({ alert: what, ...details })),
    });
  }

  /** Asks for a decision; see `Broker.ask`. */
  async ask<Name extends DecisionName>(
    name: Name,
    input: DecisionInput<Name>,
    idempotency?: IdempotencyScope,
  ): Promise<Answer<DecisionOutput<Name>>> {
    const refusal = this.#limits.refusalOf(name, input, Date.now());
    if (refusal) return { ok: false, refusal };
    const answer = await this.#broker.ask(name, input, idempotency);
    if (this.#broker.superseded) this.#discard();
    return answer;
  }

  /** Makes way for a new object, once the answers that say so have left. */
  #discard(): void {
    if (this.#isDiscarded) return;
    this.#isDiscarded = true;
    const reason = "Another broker has taken over the zone.";
    setTimeout(() => this.ctx.abort(reason), answersLeaveMs);
  }

  /** Instructions of a node after a sequence number, for a mailbox that woke. */
  outboxAfter(nodeId: string, seq: number): Promise<OutboxItem[]> {
    return outboxAfter(this.#client, nodeId, seq);
  }

  /** Events of a stream (a room's, a session's, a node's) after a sequence number. */
  eventsAfter<Event>(streamId: string, seq: number): Promise<Numbered<Event>[]> {
    return eventsAfter<Event>(this.#client, streamId, seq);
  }

  /** The room in which a session, view or broadcast is at home. */
  roomOf(
    kind: "session" | "view" | "broadcast",
    id: string,
  ): Promise<string | undefined> {
    return roomOf(this.#client, kind, id);
  }

  /** Totals that are not the sum of their rows. */
  findDrift(): Promise<Drift[]> {
    return findDrift(this.#client);
  }

  /** Whether the database answers. */
  async ready(): Promise<boolean> {
    try {
      await this.#client.execute("SELECT 1");
      return true;
    } catch {
      return false;
    }
  }

  /** Looks again at what is due and deletes what is old. */
  async sweep(): Promise<void> {
    await this.#broker.tick();
    const { settings } = configOf(this.env);
    await deleteOld(this.#client, settings, Date.now());
  }

  override async alarm(): Promise<void> {
    this.#alarmMs = undefined;
    await this.#broker.tick();
  }

  #ring({ instructions, news, state }: Committed): void {
    for (const [nodeId, items] of instructions) {
      const mailbox = mailboxOf(this.env, nodeId);
      this.ctx.waitUntil(mailbox.deliver(items).catch(logged("mailbox", nodeId)));
    }
    const { globalChannels } = configOf(this.env).settings.chat;
    for (const [roomId, roomNews] of news) {
      if (!isHeard(state, roomId, roomNews)) continue;
      const tiers = [state.rooms.get(roomId)?.row.tier ?? 1];
      // A new tier may mean another channel: the sockets are on the one before.
      for (const { event } of roomNews.events) {
        if (event.type === "room.reopened") tiers.push(event.previousTier);
      }
      const names = tiers.map((tier) => channelNameOf(roomId, tier, globalChannels));
      for (const name of new Set(names)) {
        const told = channelOf(this.env, name).deliver(roomId, roomNews);
        this.ctx.waitUntil(told.catch(logged("channel", name)));
      }
    }
  }

  /** Rings the couriers of the accounts that have webhooks and news. */
  #ringCouriers({ news, instructions, state }: Committed): void {
    if (state.webhooks.size === 0 || (news.size === 0 && instructions.size === 0)) return;
    for (const accountId of new Set(state.webhooks.values())) {
      const rung = courierOf(this.env, accountId).ring(accountId);
      this.ctx.waitUntil(rung.catch(logged("courier", accountId)));
    }
  }

  #setAlarm(atMs: number | undefined): void {
    if (atMs === undefined) return;
    const alarmMs = alarmFor(this.#alarmMs, atMs, Date.now());
    if (alarmMs === undefined) return;
    this.#alarmMs = alarmMs;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(alarmMs));
  }
}

/**
 * Whether anybody listens to a room's news. Waking a channel that has no sockets
 * would be for nothing: who says hello later reads what came before.
 */
function isHeard(state: ZoneState, roomId: string, news: RoomNews): boolean {
  if (news.endsSockets) return true;
  const room = state.rooms.get(roomId);
  // A closed room's chat goes, whoever is there.
  if (!room || room.row.state === "closed") return true;
  return [...room.sessions.values()].some((session) => session.attached);
}

// Whoever was not reached reads the database when it wakes: nothing is lost.
function logged(what: string, name: string) {
  return (error: unknown) =>
    console.error(
      JSON.stringify({ alert: `${what}-unreached`, name, error: String(error) }),
    );
}
