import { z } from "zod";

const positive = z.number().int().positive();

/** What happens to views and broadcasts whose seat or place goes. */
export const moveSettings = z
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
  .prefault({});

/** When a node counts as failing, and how long it then takes nothing new. */
export const failingSettings = z
  .object({
    /** Failures within this time of each other are one: a host's workers die together. */
    incidentMs: positive.prefault(5000),
    /** A second failure within this time holds a node back. */
    withinMs: positive.prefault(60_000),
    /** How long it has to be well; doubled by each time that it is held again. */
    holdMs: positive.prefault(60_000),
    holdMaxMs: positive.prefault(600_000),
    /** No more than this share is held back of the nodes that could take a kind of work. */
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
  .prefault({});
