import { z } from "zod";
import {
  accountSettings,
  databaseSettings,
  paymentSettings,
  tokenSettings,
} from "./account-settings.ts";
import { failingSettings, moveSettings } from "./failure-settings.ts";
import { limitSettings } from "./limit-settings.ts";

const count = z.number().int().nonnegative();
const positive = z.number().int().positive();

/** The media classes: cameras and screens never share a worker. */
export const mediaClass = z.enum(["camera", "screen"]);
export type MediaClass = z.infer<typeof mediaClass>;

/** What a worker does: it takes broadcasts in, or hands them out to viewers. */
export const workerRole = z.enum(["producer", "consumer"]);
export type WorkerRole = z.infer<typeof workerRole>;

const tier = z.object({
  /** Live camera broadcasts that the room may have at once. */
  broadcasts: count,
  /** Sessions that the room may have at once, broadcasters included. */
  viewers: positive,
  /** Whether cameras get producer workers of the room's own. */
  producer: z.enum(["dedicated", "shared"]).prefault("dedicated"),
});

/**
 * Every number of the weight model and every delay, in one place. The defaults
 * are the design's; `WEIR_SETTINGS` (JSON, any part of this shape) overrides them.
 */
export const settingsSchema = z.object({
  weight: z
    .object({
      /** Points that a consumer worker holds, unless its node declares more. */
      pointsPerWorker: positive.prefault(12),
      /** Views that one point carries, by media class. */
      seatsPerPoint: z
        .object({ camera: positive.prefault(6), screen: positive.prefault(2) })
        .prefault({}),
      /** Broadcasts that a producer worker holds. */
      broadcastsPerProducerWorker: positive.prefault(30),
      /** Outgoing legs (one per track and pipe) that a producer worker holds. */
      legsPerProducerWorker: positive.prefault(480),
      /** Legs charged for a pipe: a broadcast has one audio and one video track. */
      legsPerPipe: positive.prefault(2),
      /** From this share of its legs on, viewers go where a pipe already is. */
      preferPipedFromShare: z.number().min(0).max(1).prefault(0.8),
      /** A room opened for more broadcasts than this gets a second producer worker. */
      secondProducerWorkerFrom: positive.prefault(31),
    })
    .prefault({}),
  /** Nominal bitrates in kbit/s: what admission charges against a node's budget. */
  nominalKbps: z
    .object({
      camera: z
        .object({
          /** The best layer plus audio, as one viewer receives it. */
          view: positive.prefault(880),
          /** All simulcast layers plus audio, as a pipe carries them. */
          leg: positive.prefault(1280),
        })
        .prefault({}),
      screen: z
        .object({ view: positive.prefault(2500), leg: positive.prefault(2500) })
        .prefault({}),
    })
    .prefault({}),
  sources: z
    .object({
      /**
       * A source whose bitrate stays over this many times what it was admitted with
       * is closed. It is given some room: keyframes and layer changes take it.
       */
      overBitrateFactor: z.number().min(1).prefault(1.5),
    })
    .prefault({}),
  watching: z
    .object({
      /**
       * Cameras whose pictures a client shows at once, those who spoke last; it
       * hears everyone. An application may ask for another number.
       */
      picturesMax: positive.prefault(12),
    })
    .prefault({}),
  /** The room tiers, indexed by their number. */
  tiers: z
    .array(tier)
    .min(1)
    .prefault([
      { broadcasts: 0, viewers: 12 },
      { broadcasts: 6, viewers: 12 },
      { broadcasts: 12, viewers: 24 },
      { broadcasts: 12, viewers: 48 },
      { broadcasts: 24, viewers: 48 },
      { broadcasts: 24, viewers: 96 },
      { broadcasts: 48, viewers: 96 },
    ]),
  /** When a host's budgets of bandwidth and traffic are nearly used up. */
  budget: z
    .object({
      /** From this share of a budget or quota on, the operator is warned. */
      warnFromShare: z.number().min(0).max(1).prefault(0.8),
      /** Below this share the warning may come again. */
      calmBelowShare: z.number().min(0).max(1).prefault(0.7),
      /** A quota has to last this long for all that was granted, in minutes. */
      quotaReserveMinutes: positive.prefault(60),
    })
    .prefault({}),
  /** A worker over `refuseAbovePercent` for a while takes nothing new. */
  cpuGuard: z
    .object({
      refuseAbovePercent: z.number().prefault(80),
      refuseAfterMs: positive.prefault(10_000),
      acceptBelowPercent: z.number().prefault(65),
      acceptAfterMs: positive.prefault(30_000),
    })
    .prefault({}),
  broker: z
    .object({
      /** Requests that may wait for the next commit; beyond it `busy`. */
      queueMax: positive.prefault(4096),
      /** Requests that one group commit takes at most. */
      groupMax: positive.prefault(256),
      /** Rows that one group commit takes at most. */
      groupRowsMax: positive.prefault(4000),
      /** A room untouched for this long is let go of until it is touched again. */
      roomKeepMs: positive.prefault(600_000),
      /** A commit without an answer for this long has an unknown outcome. */
      commitTimeoutMs: positive.prefault(5000),
      /** A request whose commit was lost this often is refused as `unavailable`. */
      commitTries: positive.prefault(3),
    })
    .prefault({}),
  moves: moveSettings,
  failing: failingSettings,
  accounts: accountSettings,
  databases: databaseSettings,
  payments: paymentSettings,
  tokens: tokenSettings,
  limits: limitSettings,
  chat: z
    .object({
      /** Free rooms share this many channel objects. */
      globalChannels: positive.prefault(16),
      /** Messages that a room keeps for newcomers. */
      historyMax: positive.prefault(200),
      /** Messages that a session may send at once, and then per second. */
      burst: positive.prefault(8),
      perSecond: z.number().positive().prefault(1),
      /** Messages that a socket may leave unread before it is dropped. */
      unreadMax: positive.prefault(2000),
      /** A client that missed more events gets the room's present state instead. */
      catchUpMax: positive.max(400).prefault(400),
      /** A socket that has not said who it is after this is closed. */
      helloMs: positive.prefault(5000),
      /** Sockets of one address that have not said so yet, in one channel. */
      strangersPerAddress: positive.prefault(200),
      /** How often sockets without a ping are looked for. */
      presenceEveryMs: positive.prefault(10_000),
      /** A socket without a ping for this long is gone. */
      silentMs: positive.prefault(30_000),
    })
    .prefault({}),
  timing: z
    .object({
      /** An unwatched pipe stays for this long, for the viewer who comes back. */
      pipeLingerMs: positive.prefault(5000),
      /** A claimed view whose media never connects is released after this. */
      viewClaimMs: positive.prefault(15_000),
      /** A session that never opens its channel ends after this. */
      sessionAttachMs: positive.prefault(30_000),
      /** A session whose channel is gone ends after this. */
      sessionGraceMs: positive.prefault(10_000),
      /** Agents say that they live this often. */
      heartbeatMs: positive.prefault(5000),
      /** A node not heard for this long takes nothing new. */
      nodeSuspectMs: positive.prefault(15_000),
      /** A node not heard for this long has lost its claims. */
      nodeLeaseMs: positive.prefault(45_000),
      /** A host that registers has to sign its challenge within this. */
      nodeChallengeMs: positive.prefault(60_000),
      /** A poll is held for this long at most; the runtime's limit is 25 s. */
      pollHoldMs: positive.max(25_000).prefault(20_000),
      /** Views that are not ready after this are answered as `pending`. */
      viewsAnswerMs: positive.prefault(2000),
      /** A call to an agent fails after this. */
      callDeadlineMs: positive.prefault(5000),
      /** Session credentials are good for this long, and renewed on the channel. */
      credentialTtlMs: positive.prefault(3_600_000),
      /** Passwords of a TURN server that has a shared secret are good for this long. */
      turnTtlMs: positive.prefault(43_200_000),
      /** An encoder's stream keys are good for this long. */
      streamKeyTtlMs: positive.prefault(86_400_000),
      /** Events are kept for this long. */
      eventKeepMs: positive.prefault(7 * 86_400_000),
      /** Idempotency keys are kept for this long. */
      idempotencyKeepMs: positive.prefault(86_400_000),
    })
    .prefault({}),
});

export type Settings = z.infer<typeof settingsSchema>;
export type SettingsInput = z.input<typeof settingsSchema>;

/**
 * Reads settings from their overrides.
 * @param overrides any part of the settings' shape; absent parts take defaults
 * @throws Error naming the first field that is wrong
 */
export function readSettings(overrides: unknown = {}): Settings {
  const parsed = settingsSchema.safeParse(overrides);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`Settings: ${issue?.path.join(".")}: ${issue?.message}`);
}
