import type { CrowdReport } from "./crowd/contract.ts";
import type { Fault } from "./schedule.ts";
import type { Watch } from "./watch.ts";

interface Percentiles {
  p50: number;
  p99: number;
  max: number;
}

/** What a run has shown; `--json` prints it as it is. */
export interface ChaosReport {
  faults: number;
  faultsByKind: Record<string, number>;
  /** Pairs of viewer and camera. */
  views: number;
  /** Those whose picture stayed away for more than half a second, once or more. */
  interrupted: number;
  /** How long it stayed away each time. */
  interruptionMs: Percentiles;
  /** From a camera's start, or the viewer's entry, to the first picture. */
  firstPictureMs: Percentiles;
  /** Times that something was found above a mark, in the ledger or on a host. */
  overshot: number;
  /** Times that the ledger's totals and rows were found to differ. */
  drift: number;
  /** What was still held after everybody had left. */
  leaks: number;
  /** Viewers who did not see what they should after all was mended. */
  unrecovered: number;
  /** Faults that could not be injected; they are not among `faults`. */
  notInjected: number;
  /** Rooms that were closed on someone who had not left, by reason. */
  closedOn: Record<string, number>;
  looks: number;
  /** A line for each of those that are not nothing. */
  wrong: string[];
}

export interface Seen {
  faults: readonly Fault[];
  crowd: CrowdReport;
  watch: Watch;
  leaks: readonly string[];
  unrecovered: readonly string[];
  /** What could not be injected, and why. */
  failed: readonly { fault: Fault; reason: string }[];
}

export function reportOf(seen: Seen): ChaosReport {
  const { crowd, watch, leaks, unrecovered, failed } = seen;
  const faults = seen.faults.filter(
    (fault) => !failed.some((one) => one.fault === fault),
  );
  const faultsByKind: Record<string, number> = {};
  for (const { kind } of faults) faultsByKind[kind] = (faultsByKind[kind] ?? 0) + 1;
  return {
    faults: faults.length,
    faultsByKind,
    views: crowd.views,
    interrupted: crowd.interrupted,
    interruptionMs: percentilesOf(crowd.interruptionMs),
    firstPictureMs: percentilesOf(crowd.firstPictureMs),
    overshot: watch.overshot.size,
    drift: watch.drift.size,
    leaks: leaks.length,
    unrecovered: unrecovered.length,
    notInjected: failed.length,
    closedOn: crowd.failures,
    looks: watch.looks,
    wrong: [
      ...[...watch.overshot].map((line) => `overshot: ${line}`),
      ...[...watch.drift].map((line) => `drift: ${line}`),
      ...leaks.map((line) => `leak: ${line}`),
      ...unrecovered.map((line) => `unrecovered: ${line}`),
    ],
  };
}

/** The report as a person reads it. */
export function textOf(report: ChaosReport): string {
  const { interruptionMs: dark, firstPictureMs: first } = report;
  const rows: [string, string | number][] = [
    ...Object.entries(report.faultsByKind).sort(([a], [b]) => (a < b ? -1 : 1)),
    ["faults in all", report.faults],
    ["views", report.views],
    ["views interrupted", report.interrupted],
    ["interruption p50 / p99 / max, ms", `${dark.p50} / ${dark.p99} / ${dark.max}`],
    ["first picture p50 / p99 / max, ms", `${first.p50} / ${first.p99} / ${first.max}`],
    ["points overshot", report.overshot],
    ["drift", report.drift],
    ["leaks", report.leaks],
    ["views not recovered", report.unrecovered],
    ["faults not injected", report.notInjected],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  return `${[...lines, ...report.wrong].join("\n")}\n`;
}

/** Whether the run shows what must never be. */
export function isBad(report: ChaosReport): boolean {
  const { overshot, drift, leaks, unrecovered } = report;
  return overshot + drift + leaks + unrecovered > 0;
}

/** The median, the 99th percentile and the greatest, rounded. */
export function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => {
    const place = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
    return Math.round(sorted[Math.max(place, 0)] ?? 0);
  };
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
