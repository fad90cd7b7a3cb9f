import { setTimeout as delay } from "node:timers/promises";
import { readSettings } from "#schema/settings.ts";
import { Random } from "#test/sim/random.ts";
import { evidenceOf } from "./evidence.ts";
import { inject } from "./faults.ts";
import { LongDark } from "./long-dark.ts";
import { type ChaosReport, reportOf } from "./report.ts";
import type { Scale } from "./scale.ts";
import { type Fault, type FaultKind, scheduleOf } from "./schedule.ts";
import { emptied, settle } from "./settle.ts";
import { Watch } from "./watch.ts";
import { marksOf, type RunningZone, startZone } from "./zone.ts";

export interface ChaosOptions {
  scale: Scale;
  seed: number;
  runMs: number;
  /** Only these kinds of fault; default all. */
  kinds?: readonly FaultKind[];
  say: (text: string) => void;
}

/**
 * Runs a zone and lets it fail for a while, mends everything, lets everybody
 * leave, and tells what was seen.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { scale, seed, runMs, kinds, say } = options;
  const zone = await startZone(scale, seed, say);
  const { settings, pace, hosts } = scale;
  try {
    const watch = new Watch(zone.control.remote, zone.fleet, marksOf(scale), say);
    watch.start();
    const { timing, chat } = readSettings(settings);
    const settleMs = timing.nodeLeaseMs + timing.viewClaimMs + 15_000;
    await settle(zone.crowd.remote, settleMs, say);
    const all = scheduleOf({ seed, runMs, hosts: hosts.length, pace });
    const faults = kinds ? all.filter(({ kind }) => kinds.includes(kind)) : all;
    say(`everybody sees everybody: ${faults.length} faults to come in ${runMs / 1000} s`);
    const dark = new LongDark(zone, pace.leaseMs, say);
    dark.start();
    const failed = await letFail(zone, scale, faults, runMs, say);
    say("all is mended: waiting until everybody sees everybody again");
    await zone.fleet.healthy(settleMs);
    const unrecovered = await settle(zone.crowd.remote, settleMs, say);
    await dark.stop();
    if (unrecovered.length > 0) await tellEvidence(zone, say);
    const crowd = await zone.crowd.remote.report();
    for (const line of crowd.longest) say(`dark: ${line}`);
    say("everybody leaves");
    await zone.population.close();
    await zone.crowd.remote.leaveAll();
    const goneMs = chat.silentMs + chat.presenceEveryMs + timing.sessionGraceMs;
    const leaks = await emptied(zone, goneMs + timing.nodeLeaseMs + 10_000);
    if (leaks.length > 0) await tellEvidence(zone, say);
    await watch.stop();
    return reportOf({ faults, crowd, watch, leaks, unrecovered, failed });
  } finally {
    await zone.stop();
  }
}

async function tellEvidence(zone: RunningZone, say: (text: string) => void) {
  for (const line of await evidenceOf(zone)) say(line);
}

/** @returns what could not be injected */
async function letFail(
  zone: RunningZone,
  scale: Scale,
  faults: readonly Fault[],
  runMs: number,
  say: (text: string) => void,
): Promise<{ fault: Fault; reason: string }[]> {
  const startedMs = performance.now();
  const failed: { fault: Fault; reason: string }[] = [];
  const changes = new AbortController();
  const changing = keepChanging(zone, scale.changeMs, changes.signal);
  const injected = faults.map(async (fault) => {
    await delay(Math.max(0, fault.atMs - (performance.now() - startedMs)));
    const { kind, atMs, forMs, host } = fault;
    say(`${(atMs / 1000).toFixed(1)} s: ${kind} ${host + 1} for ${forMs} ms`);
    await inject(fault, zone).catch((error: Error) => {
      const [reason = ""] = error.message.split("\n");
      failed.push({ fault, reason });
      say(`could not inject ${kind}: ${reason}`);
    });
  });
  await Promise.all(injected);
  await delay(Math.max(0, runMs - (performance.now() - startedMs)));
  changes.abort();
  await changing;
  return failed;
}

/** Viewers come and go all the while. */
async function keepChanging(
  { population }: RunningZone,
  changeMs: number,
  signal: AbortSignal,
): Promise<void> {
  const random = new Random(1);
  while (!signal.aborted) {
    const waitMs = Math.min(random.wait(1 / changeMs), changeMs * 4);
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await population.change(false);
  }
}
