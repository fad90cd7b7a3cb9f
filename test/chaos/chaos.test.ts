import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import type { ChaosReport } from "./report.ts";
import { longScale, quickScale } from "./scale.ts";
import { type Fault, faultKinds, scheduleOf } from "./schedule.ts";

describe("what will fail", () => {
  const { pace } = longScale;
  const hour = { runMs: 3_600_000, hosts: 4, pace };
  const hostFaults = /^(worker-kill|agent-|host-cut|clock-skew)/;

  function isIll(fault: Fault, atMs: number): boolean {
    return hostFaults.test(fault.kind) && fault.atMs <= atMs && atMs < endOf(fault);
  }

  function endOf({ atMs, forMs }: Fault): number {
    return atMs + forMs;
  }

  test("is the same for the same seed, and another for another", () => {
    expect(scheduleOf({ ...hour, seed: 5 })).toEqual(scheduleOf({ ...hour, seed: 5 }));
    expect(scheduleOf({ ...hour, seed: 5 })).not.toEqual(
      scheduleOf({ ...hour, seed: 6 }),
    );
  });

  test("is everything, more than once, and over when the run is", () => {
    const faults = scheduleOf({ ...hour, seed: 1 });
    for (const kind of faultKinds) {
      expect(faults.filter((fault) => fault.kind === kind).length, kind).toBeGreaterThan(
        3,
      );
    }
    expect(Math.max(...faults.map(endOf))).toBeLessThanOrEqual(hour.runMs);
  });

  test.each([1, 2, 3])("leaves two of four hosts well at any time (seed %i)", (seed) => {
    const faults = scheduleOf({ ...hour, seed });
    for (const { atMs } of faults) {
      const ill = new Set(
        faults.filter((one) => isIll(one, atMs)).map(({ host }) => host),
      );
      expect(ill.size).toBeLessThanOrEqual(2);
    }
  });

  test("is something of most kinds within half a minute already", () => {
    const quick = {
      runMs: 30_000,
      hosts: quickScale.hosts.length,
      pace: quickScale.pace,
    };
    const kinds = new Set(scheduleOf({ ...quick, seed }).map(({ kind }) => kind));
    expect(kinds.size).toBeGreaterThan(12);
  });
});

const seed = 7;

test("through half a minute of failures no mark is passed, nothing drifts, nothing leaks, and everybody sees everybody again", async () => {
  const program = join(import.meta.dirname, "main.ts");
  const args = [program, "--minutes", "0.5", "--seed", String(seed), "--json"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const killWithUs = () => child.kill();
  process.once("exit", killWithUs);
  const [printed, told] = await Promise.all([text(child.stdout), text(child.stderr)]);
  process.off("exit", killWithUs);
  expect(printed, told).not.toBe("");
  // One object, and nothing else.
  const report: ChaosReport = JSON.parse(printed);
  expect(report.wrong, told).toEqual([]);
  expect(report).toMatchObject({ overshot: 0, drift: 0, leaks: 0, unrecovered: 0 });
  expect(report.faults).toBeGreaterThan(10);
  expect(report.views).toBeGreaterThan(20);
  expect(report.looks).toBeGreaterThan(10);
}, 300_000);
