import { z } from "zod";
import { capNames } from "./caps.ts";
import { databaseNames } from "./databases.ts";

/**
 * The one table of problems: code -> status and title. A code is stable, part
 * of the API; the title says in a sentence what is wrong.
 */
export const problems = {
  "bad-request": [400, "The request cannot be read."],
  "validation-failed": [422, "A field of the request is not valid."],
  unauthenticated: [401, "A credential is missing or not valid."],
  revoked: [401, "The token was revoked."],
  "account-suspended": [403, "The account is suspended."],
  "entitlement-missing": [402, "The account is not entitled to this tier."],
  "too-many-keys": [409, "The account has as many keys as it may have."],
  "last-key": [409, "An account keeps its last key, unless the operator takes it."],
  "account-cap-exceeded": [409, "The account holds as much as it may at once."],
  forbidden: [403, "The credential does not allow this."],
  "not-found": [404, "There is no such thing."],
  "method-not-allowed": [405, "This resource does not know this method."],
  "body-too-large": [413, "The body is larger than this route accepts."],
  "unsupported-media-type": [415, "The body is not of a media type that this takes."],
  "precondition-failed": [412, "The resource has changed since."],
  "precondition-required": [428, "A precondition has to be given."],
  "rate-limited": [429, "Too many requests."],
  "idempotency-mismatch": [422, "This idempotency key was used for another request."],
  banned: [403, "This identity is banned from the room."],
  "room-closed": [409, "The room is closed."],
  "room-full": [409, "The room has as many sessions as its tier allows."],
  "already-broadcasting": [409, "The session already has a live camera broadcast."],
  "tier-broadcasts-exceeded": [
    409,
    "The room has as many broadcasts as its tier allows.",
  ],
  "no-consumer-capacity": [503, "No consumer worker has room for this view."],
  "no-producer-capacity": [503, "No producer worker has room for this broadcast."],
  "no-screen-capacity": [503, "No screen worker has room for this."],
  "no-pipe-capacity": [503, "The broadcast's producer worker can open no more pipes."],
  "egress-exhausted": [503, "No node has bandwidth left in its budget for this."],
  "quota-exhausted": [503, "No node has traffic left in its monthly quota for this."],
  "reservation-refused": [503, "The tier's whole weight cannot be reserved now."],
  busy: [503, "The zone has too many requests waiting."],
  unavailable: [503, "A part that this needs does not answer."],
  "node-fenced": [409, "The node's registration is over: it has to register again."],
  "challenge-refused": [409, "The challenge is not good (any more): take another."],
  "node-key-mismatch": [403, "This node belongs to another host's key."],
  "address-refused": [403, "The host may not announce this address."],
  "codec-mismatch": [409, "The node's codecs differ from the zone's."],
  "media-failed": [502, "The media host refused or failed."],
  "media-timeout": [504, "The media host did not answer in time."],
  internal: [500, "Weir made a mistake."],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof problems;
export const problemCodes = Object.keys(problems) as [ProblemCode, ...ProblemCode[]];

/** Which databases answer; `accounts` also by its replica, `premium` where there is one. */
export const partStates = z.object({
  control: z.enum(["up", "down"]),
  sessions: z.enum(["up", "down"]),
  accounts: z.enum(["up", "replica-only", "down"]),
  premium: z.enum(["up", "down", "unused"]),
});
export type PartStates = z.infer<typeof partStates>;

/** RFC 9457 `application/problem+json`, with Weir's stable `code`. */
export const problemBody = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(problemCodes),
  /** What is wrong here and what to do about it. */
  detail: z.string().optional(),
  /** The fields that are wrong: a path and a sentence each. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  /** The database that does not answer; what needs none of it goes on. */
  part: z.enum(databaseNames).optional(),
  /** Every database's state, where readiness is what was asked for. */
  parts: partStates.optional(),
  /** The account's cap that is in the way, and what of it is used. */
  cap: z
    .object({ name: z.enum(capNames), max: z.number().int(), used: z.number().int() })
    .optional(),
  /** Seconds after which trying again makes sense. */
  retryAfter: z.number().optional(),
});
export type ProblemBody = z.infer<typeof problemBody>;
