import type { Browser } from "playwright-core";
import { Person } from "#test/browser/people.ts";
import type { RunningWeir } from "#test/browser/running-weir.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import {
  type Figures,
  notePeers,
  openPeers,
  unwatch,
  watchOnce,
} from "./first-frame-page.ts";

/** Ana is live, and Ben clicks on Watch; Cara is there as the case needs her. */
export interface Scene {
  weir: RunningWeir;
  roomUrl: string;
  ben: Person;
  cara: Person;
  /** Ana's broadcast. */
  broadcastId: string;
}

export interface Case {
  name: "open-pipe" | "new-pipe" | "second-track";
  /** What it is meant to take at the median, in milliseconds. */
  aimMs?: number;
  /** Brings everyone to where the case begins. */
  prepare(scene: Scene): Promise<void>;
  /** Brings Ben to the moment before his click. */
  rest(scene: Scene): Promise<void>;
}

/** In the order in which they are run: each leaves the scene to the next. */
export const cases: readonly Case[] = [
  {
    // Somebody else watches on the same worker, so that the pipe is open.
    name: "open-pipe",
    aimMs: 200,
    async prepare({ roomUrl, cara, broadcastId }) {
      await cara.enter(roomUrl, "cara");
      await sees(cara, broadcastId);
    },
    async rest({ ben }) {
      await peersAre(ben, 0);
      await keyFramesRest();
    },
  },
  {
    // Nobody else watches: the pipe opens and closes with Ben.
    name: "new-pipe",
    aimMs: 450,
    async prepare({ cara }) {
      await cara.page.goto("about:blank");
    },
    async rest({ weir, ben }) {
      await waitFor(async () => (await weir.fleet()).pipes.length === 0, {
        what: "the pipe to close after its linger",
        timeoutMs: 15_000,
      });
      await peersAre(ben, 0);
    },
  },
  {
    // Ben watches Cara already, through the transport that brings Ana too.
    name: "second-track",
    async prepare({ roomUrl, ben, cara }) {
      await cara.enter(roomUrl, "cara");
      await sees(ben, await cara.goLive("go-live"));
    },
    async rest({ ben }) {
      await peersAre(ben, 1);
      await keyFramesRest();
    },
  },
];

/** Everyone arrives, Ana goes live and Ben has seen her once. */
export async function setScene(
  weir: RunningWeir,
  browsers: readonly Browser[],
): Promise<Scene> {
  const people = await Promise.all(browsers.map((browser) => Person.arrive(browser)));
  const [ana, ben, cara] = people;
  if (!ana || !ben || !cara) throw new Error("A page is missing.");
  await notePeers(ben.page);
  const roomUrl = await ana.openRoom(weir.url, 1);
  await ana.enterHere("ana");
  const broadcastId = await ana.goLive("go-live");
  await ben.enter(roomUrl, "ben");
  await sees(ben, broadcastId);
  return { weir, roomUrl, ben, cara, broadcastId };
}

/** Ben stops watching, rests, and clicks on Watch. */
export async function runOnce(one: Case, scene: Scene): Promise<Figures> {
  const { ben, broadcastId } = scene;
  await unwatch(ben.page, broadcastId);
  await one.rest(scene);
  return watchOnce(ben.page, broadcastId);
}

function sees(person: Person, broadcastId: string): Promise<boolean> {
  return waitFor(
    async () => {
      const pictures = await person.pictures();
      return pictures.some((one) => one.broadcastId === broadcastId && one.frames > 0);
    },
    { what: "the picture", timeoutMs: 30_000 },
  );
}

function peersAre(person: Person, count: number): Promise<boolean> {
  return waitFor(async () => (await openPeers(person.page)) === count, {
    what: `${count} open peer connections`,
    timeoutMs: 15_000,
  });
}

// Keyframes that were asked for a moment ago hold up the next: a lone viewer
// comes when there were none for a while.
function keyFramesRest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1000));
}
