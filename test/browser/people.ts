import type { Browser, Locator, Page } from "playwright-core";
import type { VideoCodec } from "#schema/media.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import type { PageGlobals, Row, Scrolled } from "./page-globals.ts";

export { findBrowser, startBrowser } from "./browser.ts";

/** What a page shows of one picture. */
export interface SeenPicture {
  /** The view's id; it changes when the picture comes from elsewhere. */
  id: string | undefined;
  broadcastId: string;
  state: string;
  /** Frames that the element has shown. */
  frames: number;
  /** Packets of sound that the page has received. */
  audioPackets: number;
  /** Milliseconds from asking to the first frame; undefined before that. */
  firstFrameMs: number | undefined;
}

/** A person at a browser of their own. */
export class Person {
  readonly page: Page;
  /** What the browser complained about: policy violations, exceptions, errors. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      this.complaints.push(`${message.text()} ${message.location().url}`);
    });
  }

  static async arrive(
    browser: Browser,
    viewport = { width: 1280, height: 800 },
    permissions: readonly string[] = ["camera", "microphone"],
  ): Promise<Person> {
    const context = await browser.newContext({
      viewport,
      permissions: [...permissions],
    });
    return new Person(await context.newPage());
  }

  find(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  /**
   * Opens a room in the lobby and stands at its door.
   * @param codec as the page offers it; what the page proposes unless given
   * @returns its link
   */
  async openRoom(url: string, tier: number, codec?: VideoCodec): Promise<string> {
    await this.page.goto(url);
    await this.find("tier-select").selectOption(String(tier));
    if (codec) await this.find("codec-select").selectOption(codec);
    await this.find("open-room").click();
    return this.find("room-link").inputValue();
  }

  /** Enters the room of a link. */
  async enter(link: string, name: string): Promise<void> {
    await this.page.goto(link);
    await this.enterHere(name);
  }

  /** Enters the room at whose door one stands. */
  async enterHere(name: string): Promise<void> {
    await this.find("name-input").fill(name);
    await this.find("enter").click();
    await this.find("leave").waitFor();
  }

  /** Writes into the chat and presses Enter. */
  async say(text: string): Promise<void> {
    await this.find("chat-field").fill(text);
    await this.find("chat-field").press("Enter");
  }

  /** Says so many things in one moment, as only a script can. */
  async flood(count: number): Promise<void> {
    await this.page.evaluate(async (many) => {
      const { weir } = globalThis as unknown as PageGlobals;
      for (let at = 1; at <= many; at += 1) weir.room?.chat.say(`${at}`).catch(() => {});
    }, count);
  }

  /** Presses Tab until an element has the focus. */
  async tabTo(testId: string): Promise<void> {
    const focused = this.page.locator(`[data-testid="${testId}"]:focus`);
    for (let presses = 0; (await focused.count()) === 0; presses += 1) {
      if (presses > 30) throw new Error(`Tab does not reach ${testId}`);
      await this.page.keyboard.press("Tab");
    }
  }

  /** The name that a screen reader gives to what has the focus. */
  async focusName(): Promise<string> {
    const snapshot = await this.page.locator(":focus").ariaSnapshot();
    return /"(.*?)"/.exec(snapshot)?.[1] ?? snapshot;
  }

  /** Whether a list is scrolled to its top or its end. */
  async scrolledTo(testId: string, where: "top" | "end"): Promise<boolean> {
    const { top, left } = await this.find(testId).evaluate((element) => {
      const { scrollTop, scrollHeight, clientHeight } = element as unknown as Scrolled;
      return { top: scrollTop, left: scrollHeight - clientHeight - scrollTop };
    });
    return where === "top" ? top < 2 && left > 2 : left < 2;
  }

  /** What the chat shows, oldest first: the names and the texts. */
  async heard(): Promise<string[]> {
    // Read at one moment: a message may go while others are read.
    return this.find("message").evaluateAll((rows) =>
      (rows as unknown as Row[]).map((row) =>
        [".said-name", ".said-text"]
          .map((part) => row.querySelector(part)?.textContent)
          .join(": "),
      ),
    );
  }

  /** Waits until the chat shows exactly these lines. */
  async hears(...lines: string[]): Promise<void> {
    await waitFor(
      async () => JSON.stringify(await this.heard()) === JSON.stringify(lines),
      { what: `the chat to read ${JSON.stringify(lines)}`, timeoutMs: 15_000 },
    );
  }

  /** The list of people, opened if it is not: name, live or not, muted or not. */
  async sees(): Promise<string[]> {
    const toggle = this.find("people-toggle");
    if ((await toggle.getAttribute("aria-expanded")) !== "true") await toggle.click();
    return this.find("person").evaluateAll((rows) =>
      (rows as unknown as Row[]).map((row) =>
        [...row.querySelectorAll(".person-name, .tag")]
          .map(({ textContent }) => textContent.trim())
          .join(", "),
      ),
    );
  }

  /** Does something to a person of the list, as a moderator. */
  async moderate(identity: string, action: string): Promise<void> {
    await this.sees();
    const row = this.page.locator(`[data-testid="person"][data-identity="${identity}"]`);
    await row.getByTestId("moderate").click();
    await row.getByTestId(`moderate-${action}`).click();
  }

  /** Goes live with the camera or the test picture, and waits until it is sent. */
  async goLive(button: "go-live" | "go-live-test"): Promise<string> {
    await this.find(button).click();
    const live = this.page.locator('[data-testid="self-tile"][data-state="live"]');
    await live.waitFor();
    return (await live.getAttribute("data-broadcast-id")) ?? "";
  }

  /** What is on the page at this moment. */
  async pictures(): Promise<SeenPicture[]> {
    return this.page.evaluate(async () => {
      const { weir, document } = globalThis as unknown as PageGlobals;
      const looked = [...(weir.room?.views.values() ?? [])].map(async (view) => {
        const { id, broadcastId, state, requestedAtMs, firstFrameAtMs } = view;
        let audioPackets = 0;
        for (const consumer of view.consumers.values()) {
          if (consumer.kind !== "audio") continue;
          for (const entry of (await consumer.getStats()).values()) {
            if (entry.type === "inbound-rtp") audioPackets += entry.packetsReceived ?? 0;
          }
        }
        const tile = `[data-testid="tile"][data-broadcast-id="${broadcastId}"]`;
        const video = document.querySelector(`${tile} video`);
        const frames = video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
        const firstFrameMs = firstFrameAtMs && firstFrameAtMs - requestedAtMs;
        return { id, broadcastId, state, frames, audioPackets, firstFrameMs };
      });
      return Promise.all(looked);
    });
  }

  /** Packets sent so far by each kind, and when they were counted. */
  async sent(): Promise<{ packets: number[]; atMs: number }> {
    return this.page.evaluate(async () => {
      const { weir, performance } = globalThis as unknown as PageGlobals;
      const [publication] = weir.room?.publications ?? [];
      const packets: number[] = [];
      for (const kind of ["audio", "video"]) {
        let sum = 0;
        const report = await publication?.getStats(kind);
        for (const entry of report?.values() ?? []) {
          // The transport's own entry counts what keeps the connection alive.
          if (entry.type === "outbound-rtp") sum += entry.packetsSent ?? 0;
        }
        packets.push(sum);
      }
      return { packets, atMs: performance.now() };
    });
  }

  /** Whether nothing has to be scrolled sideways. */
  async fits(): Promise<boolean> {
    return this.page.evaluate(() => {
      const { document, innerWidth } = globalThis as unknown as PageGlobals;
      return document.documentElement.scrollWidth <= innerWidth;
    });
  }

  /** Waits until every one of `count` pictures moves and is heard, from now on. */
  async seesMoving(count: number): Promise<SeenPicture[]> {
    const before = new Map((await this.pictures()).map((one) => [one.broadcastId, one]));
    return waitFor(
      async () => {
        const now = await this.pictures();
        const moving = now.filter(({ broadcastId, frames, audioPackets }) => {
          const then = before.get(broadcastId);
          // A picture that came back counts anew from zero: that is movement too.
          const moved = frames - (then && frames >= then.frames ? then.frames : 0);
          const heard = audioPackets - (then?.audioPackets ?? 0);
          return moved > 5 && heard !== 0 && audioPackets > 0;
        });
        return now.length === count && moving.length === count ? now : undefined;
      },
      { what: `${count} moving pictures`, timeoutMs: 30_000 },
    );
  }

  /** Closes the browser's context at once, as a crash would. */
  async vanish(): Promise<void> {
    await this.page.context().close();
  }
}
