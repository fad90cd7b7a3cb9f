import { setTimeout as delay } from "node:timers/promises";
import { readSettings } from "#schema/settings.ts";
import { percentilesOf } from "#test/chaos/report.ts";
import type { Scale } from "#test/chaos/scale.ts";
import { emptied, settle } from "#test/chaos/settle.ts";
import { Watch } from "#test/chaos/watch.ts";
import { marksOf, type RunningZone, startZone } from "#test/chaos/zone.ts";
import { childrenOf } from "#test/harness/children.ts";
import { Random } from "#test/sim/random.ts";
import { collectionsToFlush, heapCurve, heapFlags } from "./heap.ts";
import { type Curve, Memory, type Watched } from "./memory.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** What a run has shown; `--json` prints it as it is. */
export interface SoakReport {
  minutes: number;
  seed: number;
  joins: number;
  views: number;
  interrupted: number;
  interruptionMs: { p50: number; p99: number; max: number };
  overshot: number;
  drift: number;
  leaks: number;
  verdicts: Verdict[];
  curves: Curve[];
  /** A line for each thing that is not as it should be. */
  wrong: string[];
}

export interface SoakOptions {
  scale: Scale;
  seed: number;
  minutes: number;
  say: (text: string) => void;
}

const sampleMs = 5000;
/** One of so many samples is one of control's heap too. */
const collectEvery = 6;
/** One of so many changes is a camera's, which all its viewers live through. */
const cameraEvery = 8;

/** Lets people come and go for a while, and follows what every process holds. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { scale, seed, minutes, say } = options;
  process.env.MINIFLARE_WORKERD_V8_FLAGS = heapFlags;
  const zone = await startZone(scale, seed, say);
  try {
    const watch = new Watch(zone.control.remote, zone.fleet, marksOf(scale), say);
    watch.start();
    const { timing, chat } = readSettings(scale.settings);
    await settle(zone.crowd.remote, 60_000, say);
    say(`people come and go for ${minutes} minutes`);
    const memory = new Memory();
    await soak(zone, scale, minutes * 60_000, seed, memory, say);
    await settle(zone.crowd.remote, 60_000, say);
    const crowd = await zone.crowd.remote.report();
    say("everybody leaves");
    await zone.population.close();
    await zone.crowd.remote.leaveAll();
    const goneMs = chat.silentMs + chat.presenceEveryMs + timing.sessionGraceMs;
    const leaks = await emptied(zone, goneMs + 15_000);
    await watch.stop();
    const heap = heapCurve("control (its heap)", await collections(zone), minutes);
    if (heap.points.length === 0)
      throw new Error("The runtime tells nothing of its heap.");
    const curves = [heap, ...memory.curves.values()];
    const verdicts = curves.map((curve) => verdictOf(curve, !isRuntime(curve.name)));
    const growing = verdicts.filter(({ grows }) => grows);
    return {
      minutes,
      seed,
      joins: zone.population.joins,
      views: crowd.views,
      interrupted: crowd.interrupted,
      interruptionMs: percentilesOf(crowd.interruptionMs),
      overshot: watch.overshot.size,
      drift: watch.drift.size,
      leaks: leaks.length,
      verdicts,
      curves,
      wrong: [
        ...growing.map(({ name, megabytesPerHour }) => {
          return `${name} grows by ${megabytesPerHour} MB an hour`;
        }),
        ...[...watch.overshot, ...watch.drift, ...leaks],
      ],
    };
  } finally {
    await zone.stop();
  }
}

async function soak(
  zone: RunningZone,
  scale: Scale,
  runMs: number,
  seed: number,
  memory: Memory,
  say: (text: string) => void,
): Promise<void> {
  const untilMs = performance.now() + runMs;
  const processes = await processesOf(zone);
  const random = new Random(seed);
  const changing = async () => {
    for (let count = 1; performance.now() < untilMs; count++) {
      await delay(Math.min(random.wait(1 / scale.changeMs), scale.changeMs * 4));
      await zone.population.change(count % cameraEvery === 0);
    }
  };
  const sampling = async () => {
    for (let count = 0; performance.now() < untilMs; count++) {
      memory.sample(processes);
      if (count % collectEvery === 0) await zone.control.remote.collect();
      if (count % 12 === 0) {
        const minutesLeft = Math.ceil((untilMs - performance.now()) / 60_000);
        say(`${zone.population.joins} joins so far, ${minutesLeft} minutes left`);
      }
      await delay(sampleMs);
    }
  };
  await Promise.all([changing(), sampling()]);
}

/** What the runtime has told of control's heap. */
async function collections({ control: { remote } }: RunningZone): Promise<string[]> {
  for (let count = 0; count < collectionsToFlush; count += 1) await remote.collect();
  // They come as the process's output, which is read a moment later.
  await delay(1000);
  return remote.collections();
}

/** The runtime's processes are shown and not judged: see `heap.ts`. */
const runtimeName = "runtime (local workerd)";
const isRuntime = (name: string) => name.startsWith(runtimeName);

/** What is followed: not the crowd, which is no part of Weir. */
async function processesOf(zone: RunningZone): Promise<Watched[]> {
  const control = childrenOf(zone.control.pid, "workerd");
  const processes: Watched[] = [
    ...control.map((pid, at) => ({ name: `${runtimeName} ${at + 1}`, pid })),
    { name: "databases (with wrangler)", pid: zone.control.pid },
  ];
  for (const host of zone.fleet.hosts) {
    processes.push({ name: `agent ${host.name}`, pid: host.agent?.pid ?? 0 });
    const state = await host.state();
    for (const { ordinal, role, pid } of state?.workers ?? []) {
      processes.push({ name: `mediasoup ${host.name} ${ordinal} (${role})`, pid });
    }
  }
  return processes;
}
