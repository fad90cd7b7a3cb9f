import { Random } from "#test/sim/random.ts";

/** Everything that can be made to fail. */
export const faultKinds = [
  "worker-kill",
  "agent-kill",
  "agent-stop",
  "agent-drain",
  "host-cut",
  "host-cut-short",
  "control-restart",
  "broker-evict",
  "mailbox-evict",
  "channel-evict",
  "database-outage",
  "poll-lost",
  "poll-doubled",
  "poll-late",
  "poll-shuffled",
  "broadcaster-vanish",
  "viewer-vanish",
  "clock-skew",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** One thing that will fail. Places are numbers: what stands there is found then. */
export interface Fault {
  kind: FaultKind;
  /** Milliseconds from the run's start. */
  atMs: number;
  /** How long it lasts, where it does. */
  forMs: number;
  /** Which host it hits. */
  host: number;
  /** Which of several within, such as a worker or a database. */
  which: number;
}

/** How long things take in a run: the marks between harmless and not. */
export interface Pace {
  suspectMs: number;
  leaseMs: number;
  /** Mean time from one fault to the next. */
  everyMs: number;
  /** How long a database or control is away. */
  outageMs: number;
}

export interface ScheduleOptions {
  seed: number;
  runMs: number;
  hosts: number;
  pace: Pace;
}

/** Hosts that may be ill at the same time: the others have to carry the load. */
const illMax = 2;
/** Time that a host or control is left alone after it was mended, to become whole again. */
const restMs = 3000;

const hitsHost: ReadonlySet<FaultKind> = new Set<FaultKind>([
  "worker-kill",
  "agent-kill",
  "agent-stop",
  "agent-drain",
  "host-cut",
  "host-cut-short",
  "clock-skew",
]);
const hitsControl: ReadonlySet<FaultKind> = new Set<FaultKind>([
  "control-restart",
  "broker-evict",
  "mailbox-evict",
  "channel-evict",
  "database-outage",
]);

/**
 * What fails, and when: the same for the same seed. Every kind comes once before
 * any comes again.
 */
export function scheduleOf({ seed, runMs, hosts, pace }: ScheduleOptions): Fault[] {
  const random = new Random(seed);
  const faults: Fault[] = [];
  const wellAtMs = Array.from({ length: hosts }, () => 0);
  let controlAtMs = 0;
  let bag: FaultKind[] = [];
  let nowMs = 0;
  for (;;) {
    nowMs += Math.round(pace.everyMs * (0.5 + random.next()));
    if (bag.length === 0) bag = shuffled(faultKinds, random);
    const ill = wellAtMs.filter((atMs) => atMs > nowMs).length;
    const fits = (kind: FaultKind) =>
      (!hitsHost.has(kind) || ill < illMax) &&
      (!hitsControl.has(kind) || controlAtMs <= nowMs);
    const at = bag.findIndex(fits);
    const which = random.between(0, 1000);
    const well = wellAtMs.flatMap((atMs, host) => (atMs > nowMs ? [] : [host]));
    const host = random.pick(well.length > 0 ? well : [0]);
    const chance = random.next();
    if (at < 0) continue;
    const [kind] = bag.splice(at, 1) as [FaultKind];
    const forMs = lengthOf(kind, pace, chance);
    if (nowMs + forMs > runMs) return faults;
    if (hitsHost.has(kind)) wellAtMs[host] = nowMs + forMs + restMs;
    if (hitsControl.has(kind)) controlAtMs = nowMs + forMs + restMs;
    faults.push({ kind, atMs: nowMs, forMs, host, which });
  }
}

function lengthOf(kind: FaultKind, pace: Pace, chance: number): number {
  const { suspectMs, leaseMs, outageMs } = pace;
  switch (kind) {
    case "agent-kill":
      // Mostly it is back at once, now and then only after its lease.
      return Math.round(chance < 0.7 ? 1000 + 2000 * chance : leaseMs * 1.2);
    case "agent-stop":
      return Math.round(chance < 0.5 ? suspectMs * (0.5 + chance) : leaseMs * 1.2);
    case "agent-drain":
      return Math.round(suspectMs * 1.5);
    case "host-cut":
      return Math.round(leaseMs * 1.2 + suspectMs * chance);
    case "host-cut-short":
      return Math.round(suspectMs * (0.5 + chance));
    case "control-restart":
    case "database-outage":
      return outageMs;
    case "clock-skew":
      return 1500;
    default:
      return 0;
  }
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const left = [...items];
  const shuffledItems: Item[] = [];
  while (left.length > 0) {
    shuffledItems.push(...left.splice(random.between(0, left.length - 1), 1));
  }
  return shuffledItems;
}
