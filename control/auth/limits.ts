import type { Context, MiddlewareHandler } from "hono";
import type { Settings } from "#schema/settings.ts";
import type { DecisionName } from "../broker/decisions.ts";
import { type Config, configOf } from "../env.ts";
import { Problem } from "../problem.ts";
import type { AccessRule, AppEnv } from "./access.ts";
import { networkOf } from "./addresses.ts";
import { CoarseLimit } from "./coarse-limit.ts";
import { FloodLimit } from "./flood-limit.ts";
import { sourceOf } from "./source.ts";

type LimitName = keyof Settings["limits"];

interface Rule {
  /** Counts all calls from one address, before anything is looked at. */
  address: LimitName;
  /** Counts by whoever the checked credential names, before any database. */
  holder?: [LimitName, (c: Context<AppEnv>) => string];
}

/**
 * The limits of every route, by who may call it. All of them stand in the
 * settings under `limits`; each isolate of the edge counts for itself, so they
 * are coarse. What has to be exact is counted in the objects: see `claimLimits`.
 */
const rules: Record<AccessRule, Rule> = {
  anyone: { address: "open" },
  lobby: { address: "open" },
  apiKey: { address: "address", holder: ["key", (c) => c.var.apiKey.id] },
  operator: { address: "address", holder: ["key", () => "operator"] },
  nodeKey: { address: "register" },
  node: { address: "address", holder: ["node", (c) => c.var.node.nodeId] },
  joinToken: { address: "entry", holder: ["identity", personOf] },
  payments: { address: "payments" },
  encoder: { address: "entry", holder: ["identity", personOf] },
  reader: { address: "address", holder: ["key", readerOf] },
  session: { address: "address", holder: ["session", (c) => c.var.session.sessionId] },
};

/** A participant's session or, without one, an application's key. */
function readerOf(c: Context<AppEnv>): string {
  const { session, apiKey } = c.var as Partial<AppEnv["Variables"]>;
  return session?.sessionId ?? apiKey?.id ?? "";
}

/**
 * What the broker counts exactly, before a request joins those that wait for a
 * commit: a session's claims, and all that happens to a room.
 */
export const claimLimits: Partial<Record<DecisionName, readonly ("claim" | "room")[]>> = {
  enterRoom: ["room"],
  startIngest: ["room"],
  startPlayback: ["room"],
  claimBroadcast: ["claim", "room"],
  claimViews: ["claim", "room"],
  changeTrack: ["claim", "room"],
  showBroadcast: ["claim", "room"],
};

/**
 * Counts a call against its address: with what this isolate knows, which costs a flood
 * nothing but a look, and with the edge's own limiter if there is one.
 */
export function limitAddress(rule: AccessRule): MiddlewareHandler<AppEnv> {
  const { address: name } = rules[rule];
  return async (c, next) => {
    const address = networkOf(sourceOf(c) ?? "unknown");
    const nowMs = Date.now();
    const shutMs = coarse.waitMs(address, nowMs);
    if (shutMs > 0) throw tooMany("this address", shutMs);
    take(configOf(c.env), name, address, "this address");
    const { ADDRESS_LIMIT: limiter } = c.env;
    if (limiter) c.executionCtx.waitUntil(coarse.count(limiter, address, nowMs));
    await next();
  };
}

/** Counts a call against whoever its credential names. */
export function limitHolder(rule: AccessRule): MiddlewareHandler<AppEnv> {
  const { holder } = rules[rule];
  return async (c, next) => {
    if (holder) take(configOf(c.env), holder[0], holder[1](c), "this credential");
    await next();
  };
}

/** The binding counts over ten seconds: see wrangler.toml. */
const coarse = new CoarseLimit(10_000);

const floods = new WeakMap<Config, Map<LimitName, FloodLimit>>();

function take(config: Config, name: LimitName, who: string, told: string): void {
  const known = floods.get(config) ?? new Map<LimitName, FloodLimit>();
  floods.set(config, known);
  const flood = known.get(name) ?? new FloodLimit(config.settings.limits[name]);
  known.set(name, flood);
  const waitMs = flood.take(who, Date.now());
  if (waitMs > 0) throw tooMany(told, waitMs);
}

function tooMany(told: string, waitMs: number): Problem {
  return new Problem("rate-limited", {
    detail: `Too many requests from ${told}: go slower.`,
    retryAfter: Math.max(1, Math.ceil(waitMs / 1000)),
  });
}

function personOf(c: Context<AppEnv>): string {
  return `${c.var.joining.roomId} ${c.var.joining.identity}`;
}
