import { findBrowser, startBrowser } from "#test/browser/browser.ts";
import { Hosts } from "#test/browser/hosts.ts";
import { Onlooker } from "#test/browser/onlooker.ts";
import { Person } from "#test/browser/people.ts";
import { type Bench, main, type Row } from "./report.ts";

/** Whose host is asked to leave: the one that shows the picture, or that takes it in. */
const cases = [
  { name: "viewer", carries: "views" },
  { name: "broadcaster", carries: "broadcasts" },
] as const;

/** A picture may stand still for so long at most, in milliseconds. */
const aimMs = 1000;

const bench: Bench = {
  name: "hand-over",
  title:
    "The longest time without a new frame while a host that is drained hands its " +
    "picture to another one, in Chromium (ms).",
  columns: [
    { key: "case", title: "drained host" },
    { key: "runs", title: "drains" },
    { key: "sideBySide", title: "side by side" },
    { key: "p50Ms", title: "p50", digits: 0 },
    { key: "p99Ms", title: "p99", digits: 0 },
    { key: "maxMs", title: "max", digits: 0 },
  ],
  async run({ runs = 10 }, progress) {
    progress.start(cases.length * runs);
    const executable = findBrowser();
    if (!executable) throw new Error("There is no Chromium: apt-get install chromium");
    const hosts = await Hosts.start();
    const browsers = await Promise.all([1, 2].map(() => startBrowser(executable)));
    try {
      const [ada, ben] = await Promise.all(
        browsers.map((browser) => Person.arrive(browser)),
      );
      if (!ada || !ben) throw new Error("A page is missing.");
      const link = await ada.openRoom(hosts.url, 1);
      await ada.enter(link, "Ada");
      await ada.goLive("go-live");
      await ben.enter(link, "Ben");
      await ben.seesMoving(1);
      const rows: Row[] = [];
      for (const { name, carries } of cases) {
        const drains: Drained[] = [];
        for (let run = 0; run < runs; run += 1) {
          drains.push(await drain(hosts, ben, carries));
          progress.step();
        }
        rows.push(rowOf(name, drains));
      }
      return rows;
    } finally {
      await Promise.all(browsers.map((browser) => browser.close()));
      await hosts.stop();
    }
  },
  misses: (rows) =>
    rows.flatMap((row) => [
      ...(Number(row.p99Ms) <= aimMs
        ? []
        : [
            `${row.case}: a picture stood still for ${row.p99Ms} ms, ${aimMs} are the aim.`,
          ]),
      ...(row.sideBySide === row.runs
        ? []
        : [`${row.case}: not every new picture was there before the old one went.`]),
    ]),
};

interface Drained {
  gapMs: number;
  sideBySide: boolean;
}

/** Drains the host that carries Ben's picture, and lets it come back. */
async function drain(
  hosts: Hosts,
  ben: Person,
  carries: "views" | "broadcasts",
): Promise<Drained> {
  const onlooker = await Onlooker.of(ben);
  await onlooker.watchesFrames();
  await onlooker.watchesHandOver();
  const leaving = await hosts.busy(carries);
  await leaving.stop("SIGTERM");
  const sideBySide = (await onlooker.handOver()) === "the new picture was there";
  await ben.seesMoving(1);
  const gapMs = await onlooker.longestGapMs();
  await hosts.run(leaving.name);
  return { gapMs, sideBySide };
}

function rowOf(name: string, drains: readonly Drained[]): Row {
  const gaps = drains.map(({ gapMs }) => gapMs).toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round(gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * share))] ?? 0);
  return {
    case: name,
    runs: drains.length,
    sideBySide: drains.filter((one) => one.sideBySide).length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}

if (import.meta.main) await main(bench);

export default bench;
