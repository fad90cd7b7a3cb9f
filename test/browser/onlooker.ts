import type { Person } from "./people.ts";

/* What an onlooker notes inside the page, which Node's types do not know. */
interface Noted {
  /** Every sentence of the status line and over the pictures, once. */
  words: Set<string>;
  /** The longest time without a new frame in the watched picture, in milliseconds. */
  longestGapMs: number;
}

interface Watching {
  noted: Noted;
  /** What became of the picture that was watched: see `handOver`. */
  handedOver: Promise<string>;
  weir: { room?: Room };
  performance: { now(): number };
  document: {
    body: object;
    querySelector(selector: string): Video | null;
    querySelectorAll(selector: string): Iterable<{ textContent: string | null }>;
  };
  MutationObserver: new (
    callback: () => void,
  ) => { observe(where: object, what: object): void };
}

interface Consumer {
  kind: string;
  closed: boolean;
  getStats(): Promise<Map<string, { framesDecoded?: number }>>;
}

interface View {
  id: string | undefined;
  consumers: Map<string, Consumer>;
}

interface Room {
  views: Map<string, View>;
  on(event: "view", listener: (view: View) => void): () => void;
}

interface Video {
  requestVideoFrameCallback(callback: (nowMs: number) => void): void;
}

/** Looks at a page all the time, as a person does: what it says, and what moves. */
export class Onlooker {
  readonly #person: Person;

  private constructor(person: Person) {
    this.#person = person;
  }

  /** Looks at the page of someone who has entered a room, from now on. */
  static async of(person: Person): Promise<Onlooker> {
    await person.page.evaluate(() => {
      const page = globalThis as unknown as Watching;
      page.noted = { words: new Set(), longestGapMs: 0 };
      const read = () => {
        const spoken = '[data-testid="status"], .cover, .veil';
        for (const { textContent } of page.document.querySelectorAll(spoken)) {
          page.noted.words.add((textContent ?? "").replace(/\s+/g, " ").trim());
        }
      };
      const everything = { subtree: true, childList: true, characterData: true };
      new page.MutationObserver(read).observe(page.document.body, everything);
      read();
    });
    return new Onlooker(person);
  }

  /** Watches the frames of the only picture of others, from the next one on. */
  async watchesFrames(): Promise<void> {
    await this.#person.page.evaluate(() => {
      const page = globalThis as unknown as Watching;
      const video = page.document.querySelector('[data-testid="tile"] video');
      if (!video) throw new Error("There is no picture.");
      page.noted.longestGapMs = 0;
      let lastMs: number | undefined;
      const see = (nowMs: number) => {
        const gapMs = nowMs - (lastMs ?? nowMs);
        page.noted.longestGapMs = Math.max(page.noted.longestGapMs, gapMs);
        lastMs = nowMs;
        video.requestVideoFrameCallback(see);
      };
      video.requestVideoFrameCallback(see);
    });
  }

  /** Looks what happens when the only picture of others changes servers. */
  async watchesHandOver(): Promise<void> {
    await this.#person.page.evaluate(() => {
      const page = globalThis as unknown as Watching;
      const { room } = page.weir;
      const [view] = room?.views.values() ?? [];
      if (!room || !view) throw new Error("There is no view.");
      const old = [...view.consumers.values()];
      // Renewed media comes for the same seat, and other media for another one.
      const isOld = () => [...view.consumers.values()].some((one) => old.includes(one));
      page.handedOver = new Promise((resolve) => {
        const stop = room.on("view", async () => {
          if (isOld()) {
            if (!old.some(({ closed }) => closed)) return;
            stop();
            resolve("the old one ended first");
            return;
          }
          stop();
          const next = [...view.consumers.values()].find(({ kind }) => kind === "video");
          const stats = [...((await next?.getStats())?.values() ?? [])];
          const decoded = stats.some(({ framesDecoded = 0 }) => framesDecoded > 0);
          resolve(decoded ? "the new picture was there" : "there was no new picture");
        });
      });
    });
  }

  /** How the picture changed servers, once it has. */
  handOver(): Promise<string> {
    return this.#person.page.evaluate(
      () => (globalThis as unknown as Watching).handedOver,
    );
  }

  /** The longest time without a new frame so far, in milliseconds. */
  longestGapMs(): Promise<number> {
    return this.#person.page.evaluate(
      () => (globalThis as unknown as Watching).noted.longestGapMs,
    );
  }

  /** Everything that the page has said so far. */
  words(): Promise<string[]> {
    return this.#person.page.evaluate(() => [
      ...(globalThis as unknown as Watching).noted.words,
    ]);
  }
}
