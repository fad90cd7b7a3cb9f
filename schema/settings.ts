import { z } from "zod";
import {
  accountSettings,
  databaseSettings,
  paymentSettings,
  tokenSettings,
} from "./account-settings.ts";

const count = z.number().int().nonnegative();
const positive = z.number().int().positive();

/** The media classes: cameras and screens never share a worker. */
export const mediaClass = z.enum(["camera", "screen"]);
export type MediaClass = z.infer<typeof mediaClass>;

/** What a worker does: it takes broadcasts in, or hands them out to viewers. */
export const workerRole = z.enum(["producer", "consumer"]);
export type WorkerRole = z.infer<typeof workerRole>;

/** What may come at once, and then per second. */
const allowance = (burst: number, perSecond: number) =>
  z
    .object({
      burst: positive.prefault(burst),
      perSecond: z.number().positive().prefault(perSecond),
    })
    .prefault({});

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
  /** A worker over `refuseAbovePercent` for a while takes nothing new. */
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
  /** What happens to views and broadcasts whose seat or place goes. */
  moves: z
    .object({
      /** The old seat of a view that moves is kept for this long at most. */
      oldRunsMs: positive.prefault(10_000),
      /** A view whose media did not connect in this many seats in a row is lost. */
      seatsMax: positive.prefault(3),
      /** An interrupted broadcast ends when its tracks do not come for this long. */
      resumeMs: positive.prefault(30_000),
      /** A broadcast that is asked to move while it runs has this long to do so. */
      broadcastMs: positive.prefault(15_000),
      /** What is left on a draining node after this is moved without ceremony. */
      drainMs: positive.prefault(25_000),
      /** More of a draining node is moved this often. */
      drainStepMs: positive.prefault(1000),
      /** What had nowhere to go by a drain's deadline is tried again this often. */
      drainRetryMs: positive.prefault(30_000),
      /** Views that are on the move from a draining node at once. */
      drainViewsMax: positive.prefault(128),
      /** What a node and the ledger disagree on for so long is mended. */
      reconcileGraceMs: positive.prefault(10_000),
      /** Points are made free for a refused view this often at most. */
      defragmentEveryMs: positive.prefault(2000),
    })
    .prefault({}),
  /** When a node counts as failing, and how long it then takes nothing new. */
  failing: z
    .object({
      /** Failures within this time of each other are one: a host's workers die together. */
      incidentMs: positive.prefault(5000),
      /** A second failure within this time holds a node back. */
      withinMs: positive.prefault(60_000),
      /** How long it has to be well; doubled by each time that it is held again. */
      holdMs: positive.prefault(60_000),
      holdMaxMs: positive.prefault(600_000),
      /** No more of a zone's nodes than this share are held back at once. */
      heldShareMax: z.number().min(0).max(1).prefault(0.5),
      /** After this long without a failure, all is forgotten. */
      forgetMs: positive.prefault(1_800_000),
      /**
       * A node is suspect when so many sessions report lost media within a time, and
       * at least this share of what it serves: a few must not speak for all.
       */
      lossSessions: positive.prefault(3),
      lossShare: z.number().min(0).max(1).prefault(0.2),
      lossWithinMs: positive.prefault(10_000),
      /**
       * A node is suspect, too, when so many of the hosts that have pipes with it
       * tell that nothing comes from it, and at least this share of them.
       */
      dryPeers: positive.prefault(2),
      dryShare: z.number().min(0).max(1).prefault(0.5),
      /** A view younger than this is not moved on its viewer's word. */
      lossAfterMs: z.number().int().nonnegative().prefault(2000),
      /**
       * Leases do not end while more than this share of a zone's nodes, and at
       * least so many, fall silent at once: then control is what is cut off.
       */
      pauseFromShare: z.number().min(0).max(1).prefault(0.3),
      pauseFromNodes: positive.prefault(2),
      /** For so long at most. */
      pauseMaxMs: positive.prefault(300_000),
    })
    .prefault({}),
  accounts: accountSettings,
  databases: databaseSettings,
  payments: paymentSettings,
  tokens: tokenSettings,
  /**
   * How much of each kind may come at once, and then per second. A room of 96
   * behind one address is far below all of them.
   */
  limits: z
    .object({
      /** Per address: calls with a credential. */
      address: allowance(3000, 300),
      /** Per address: calls that take none, sockets among them. */
      open: allowance(1500, 150),
      /** Per address: entering, and publishing by WHIP. */
      entry: allowance(600, 60),
      /** Per address: hosts that register. */
      register: allowance(600, 20),
      /** Per address: payment events, before their signature is looked at. */
      payments: allowance(300, 50),
      /** Per API key or operator. */
      key: allowance(2000, 300),
      /** Per node: its agent's calls. */
      node: allowance(2000, 300),
      /** Per room and identity: entering again and again. */
      identity: allowance(120, 5),
      /** Per session: all of its calls. */
      session: allowance(300, 30),
      /** Per session: what it claims or changes, counted exactly. */
      claim: allowance(120, 10),
      /** Per room: what is claimed or changed in it, counted exactly. */
      room: allowance(2000, 200),
    })
    .prefault({}),
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
