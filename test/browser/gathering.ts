import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import type { VideoCodec } from "#schema/media.ts";
import { findBrowser, startBrowser } from "./browser.ts";
import { Person } from "./people.ts";
import { RunningWeir } from "./running-weir.ts";

/** Where people meet: control and its hosts, as a file of tests needs them. */
interface Place {
  readonly url: string;
  stop(): Promise<void>;
}

/** The Weir and the people of one file of tests. */
export interface Gathering<Weir extends Place = RunningWeir> {
  readonly weir: Weir;
  /** Someone comes who has opened nothing yet; gone again after the test. */
  arrive(
    viewport?: { width: number; height: number },
    permissions?: readonly string[],
  ): Promise<Person>;
  /**
   * Ada opens a room and enters it as its moderator, with none, one or both of
   * her guests Ben and Cleo.
   */
  meet(
    tier: number,
    guests?: 1 | 2,
    codec?: VideoCodec,
  ): Promise<{ ada: Person; ben: Person; cleo: Person; link: string }>;
}

/**
 * Starts Weir and a browser for the tests around the call, and stops them after.
 * @param asks whether the browser asks for what it was not permitted
 */
export function gather({ asks = false } = {}): Gathering {
  return gatherAt(() => RunningWeir.start(), asks);
}

/** The same at a place that is not all of Weir as `npm start` runs it. */
export function gatherAt<Weir extends Place>(
  start: () => Promise<Weir>,
  asks = false,
): Gathering<Weir> {
  let weir: Weir;
  let browser: Browser;
  const people: Person[] = [];

  beforeAll(async () => {
    [weir, browser] = await Promise.all([
      start(),
      startBrowser(findBrowser() ?? "", asks),
    ]);
  }, 90_000);

  afterEach(async () => {
    for (const person of people.splice(0)) await person.vanish();
  });

  afterAll(async () => {
    await browser?.close();
    await weir?.stop();
  }, 30_000);

  const arrive: Gathering["arrive"] = async (viewport, permissions) => {
    const person = await Person.arrive(browser, viewport, permissions);
    people.push(person);
    return person;
  };
  return {
    get weir() {
      return weir;
    },
    arrive,
    async meet(tier, guests, codec) {
      const names = ["Ben", "Cleo"].slice(0, guests ?? 0);
      const [ada, ...others] = await Promise.all([
        arrive(),
        ...names.map(() => arrive()),
      ]);
      const link = await ada.openRoom(weir.url, tier, codec);
      await ada.enter(link, "Ada");
      for (const [at, other] of others.entries()) {
        await other.enter(link, names[at] ?? "");
      }
      const guest = (at: number) => {
        const other = others[at];
        if (!other) throw new Error("Nobody was to come as this guest.");
        return other;
      };
      return {
        ada,
        link,
        get ben() {
          return guest(0);
        },
        get cleo() {
          return guest(1);
        },
      };
    },
  };
}
