import { expect } from "vitest";
import type { Host } from "#test/chaos/fleet.ts";
import { quickScale, type Scale } from "#test/chaos/scale.ts";
import { emptied, settle } from "#test/chaos/settle.ts";
import { type RunningZone, startZone } from "#test/chaos/zone.ts";
import { waitFor } from "#test/harness/wait-for.ts";

/** Three hosts, two rooms, a camera and two viewers in each; short leases. */
const scale: Scale = {
  ...quickScale,
  rooms: 2,
  cameras: [1],
  viewersPerRoom: 2,
  drainMs: 30_000,
};
export const { suspectMs, leaseMs } = scale.pace;
const recoverMs = 60_000;

/** A running zone, and what tests want to know of it. */
export class SmallZone {
  readonly zone: RunningZone;
  readonly lines: string[];

  private constructor(zone: RunningZone, lines: string[]) {
    this.zone = zone;
    this.lines = lines;
  }

  static async start(): Promise<SmallZone> {
    const lines: string[] = [];
    return new SmallZone(await startZone(scale, 1, (line) => lines.push(line)), lines);
  }

  stop(): Promise<void> {
    return this.zone.stop();
  }

  get control() {
    return this.zone.control.remote;
  }

  /** How long pictures stayed away so far, in milliseconds, in all views. */
  async interruptions(): Promise<number[]> {
    return (await this.zone.crowd.remote.report()).interruptionMs;
  }

  /**
   * The longest time that a picture stayed away since. Where the machine itself is
   * busy pictures come late, so "none at all" would say less of Weir than of it.
   */
  async longestSince(before: readonly number[]): Promise<number> {
    const left = [...before];
    const fresh = (await this.interruptions()).filter((ms) => {
      const at = left.indexOf(ms);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
    return Math.max(0, ...fresh);
  }

  /** Waits until everybody sees everybody, and until the ledger is in order then. */
  async isWell(): Promise<void> {
    const dark = await settle(this.zone.crowd.remote, recoverMs, () => undefined);
    expect(dark).toEqual([]);
    expect(await this.control.judge()).toEqual({ overshot: [], drift: [] });
  }

  /** A host that carries what `has` asks for. */
  async hostWith(has: "views" | "broadcasts"): Promise<Host> {
    const found = () => this.zone.fleet.hostWith(has);
    return waitFor(found, { what: `a host with ${has}` });
  }

  /** Waits until the ledger has a host in a state. */
  async becomes(host: Host, state: "ready" | "suspect" | "gone"): Promise<void> {
    const there = async () => (await this.nodeOf(host))?.state === state;
    await waitFor(there, { what: `${host.name} to be ${state}`, timeoutMs: recoverMs });
  }

  async nodeOf(host: Host): Promise<{ state: string; epoch: number } | undefined> {
    const nodes = await this.control.nodes();
    return nodes.find(({ id }) => id === host.nodeId);
  }

  /** Someone comes, and sees what there is to see. */
  async newcomerSees(): Promise<void> {
    // What has just come back may need a moment before it answers.
    const joined = () => this.zone.crowd.remote.join(0, false);
    await waitFor(joined, { what: "someone to come in", timeoutMs: recoverMs });
    await this.isWell();
  }

  /** Everybody leaves: nothing may be held anywhere after that. */
  async isEmptyAfterAll(): Promise<void> {
    await this.zone.population.close();
    await this.zone.crowd.remote.leaveAll();
    expect(await emptied(this.zone, recoverMs)).toEqual([]);
  }
}
