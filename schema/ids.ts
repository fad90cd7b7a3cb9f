import { customAlphabet } from "nanoid";
import { z } from "zod";

/**
 * Every id is `<kind>_<zone>_<rest>`. The zone is there for routing only: any
 * stateless function finds the broker of an id without asking a database.
 */
export const idKinds = [
  "account",
  "broadcast",
  "call",
  "entitlement",
  "key",
  "node",
  "room",
  "session",
  "track",
  "transport",
  "view",
  "webhook",
  "worker",
] as const;
export type IdKind = (typeof idKinds)[number];

// Lower-case letters and digits survive URLs, host names and reading aloud.
const random = customAlphabet("0123456789abcdefghijklmnopqrstuvwxyz", 12);

/** Milliseconds since 1970 in base 36: eight characters until the year 2059. */
const timePrefix = () => Date.now().toString(36).padStart(8, "0");

/** A zone's name: 1-16 lower-case letters and digits. */
export const zoneName = z.string().regex(/^[a-z0-9]{1,16}$/);

/** A node's name within its zone: 1-32 lower-case letters, digits and hyphens. */
export const nodeName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/);

/**
 * Makes a fresh id of a kind in a zone: when it was made, then 62 random bits.
 * Rows that are made together lie together in the database, so that a commit
 * touches few pages of its indexes, however large they are.
 */
export function newId(kind: IdKind, zone: string): string {
  return `${kind}_${zone}_${timePrefix()}${random()}`;
}

/** The account that a one-machine zone starts with, and to which its lobby belongs. */
export function firstAccountId(zone: string): string {
  return `account_${zone}_first`;
}

/** The id of the node called `name`: the same at every registration. */
export function nodeIdOf(zone: string, name: string): string {
  return `node_${zone}_${name}`;
}

/** The id of a node's worker number `ordinal`, stable while incarnations come and go. */
export function workerIdOf(nodeId: string, ordinal: number): string {
  const [, zone, name] = nodeId.split("_");
  return `worker_${zone}_${name}_${ordinal}`;
}

/** The node on which a worker lives, read from the worker's id. */
export function nodeIdOfWorker(workerId: string): string {
  const [, zone, name] = workerId.split("_");
  return `node_${zone}_${name}`;
}

/** A fresh transport id that names its node, so that calls on it need no database. */
export function newTransportId(nodeId: string): string {
  const [, zone, name] = nodeId.split("_");
  return `transport_${zone}_${name}_${timePrefix()}${random()}`;
}

/** The node on which a transport lives, read from the transport's id. */
export function nodeIdOfTransport(transportId: string): string {
  const [, zone, name] = transportId.split("_");
  return `node_${zone}_${name}`;
}

/** The zone that an id names, or undefined where the text is no id. */
export function zoneOf(id: string): string | undefined {
  const zone = id.split("_")[1];
  return zone && zoneName.safeParse(zone).success ? zone : undefined;
}

/** A schema for ids of one kind. */
export function idOf(kind: IdKind) {
  return z
    .string()
    .max(96)
    .regex(new RegExp(`^${kind}_[a-z0-9]{1,16}_[a-z0-9_-]{1,64}$`), {
      error: `is not a ${kind} id: it looks like ${kind}_<zone>_<letters and digits>`,
    });
}
