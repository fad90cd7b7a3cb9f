import type { Page } from "playwright-core";

/** What one page of a large room carries at one moment. */
export interface Look {
  /** Broadcasts that are watched, and of those how many are heard only. */
  views: number;
  heardOnly: number;
  /** Connections, and what arrives on them. */
  transports: number;
  consumers: number;
  /** Of the broadcasts, those of which sound has arrived. */
  heard: number;
  /** Of all pictures, those of which frames were decoded since the last look. */
  decoding: string[];
  tiles: number;
  heapMb: number;
}

interface Stat {
  type: string;
  kind?: string;
  framesDecoded?: number;
  packetsReceived?: number;
}

interface Consumer {
  kind: string;
  getStats(): Promise<Map<string, Stat>>;
}

interface Globals {
  weir: {
    room: {
      views: Map<
        string,
        {
          heardOnly: boolean;
          transportId: string | undefined;
          consumers: Map<string, Consumer>;
        }
      >;
    };
  };
  document: { querySelectorAll(selector: string): { length: number } };
  performance: { memory?: { usedJSHeapSize: number } };
  /** Frames that were decoded of each broadcast at the last look. */
  decoded?: Map<string, number>;
  VideoEncoder: new (init: {
    output(chunk: { byteLength: number; copyTo(to: Uint8Array): void }): void;
    error(error: unknown): void;
  }) => {
    configure(config: object): void;
    encode(frame: object, options: { keyFrame: boolean }): void;
    flush(): Promise<void>;
  };
  VideoFrame: new (source: object, init: { timestamp: number }) => { close(): void };
  OffscreenCanvas: new (
    width: number,
    height: number,
  ) => {
    getContext(kind: "2d"): {
      fillStyle: string;
      fillRect(x: number, y: number, width: number, height: number): void;
    };
  };
}

/** Looks at everything that the page has. */
export function look(page: Page): Promise<Look> {
  return page.evaluate(async () => {
    const globals = globalThis as unknown as Globals;
    const { weir, document, performance } = globals;
    const views = [...weir.room.views];
    const before = globals.decoded ?? new Map<string, number>();
    const decoded = new Map<string, number>();
    let heard = 0;
    for (const [broadcastId, view] of views) {
      for (const consumer of view.consumers.values()) {
        const stats = [...(await consumer.getStats()).values()];
        const inbound = stats.find(({ type }) => type === "inbound-rtp");
        if (consumer.kind === "audio") heard += inbound?.packetsReceived ? 1 : 0;
        else decoded.set(broadcastId, inbound?.framesDecoded ?? 0);
      }
    }
    globals.decoded = decoded;
    const consumers = views.reduce((sum, [, view]) => sum + view.consumers.size, 0);
    return {
      views: views.length,
      heardOnly: views.filter(([, { heardOnly }]) => heardOnly).length,
      transports: new Set(views.map(([, { transportId }]) => transportId)).size,
      consumers,
      heard,
      decoding: [...decoded]
        .filter(([id, frames]) => frames > (before.get(id) ?? 0))
        .map(([id]) => id),
      tiles: document.querySelectorAll('[data-testid="tile"]').length,
      heapMb: Math.round((performance.memory?.usedJSHeapSize ?? 0) / 2 ** 20),
    };
  });
}

/** Has the browser encode one small VP8 keyframe, which fits into one packet. */
export async function makeFrame(page: Page): Promise<Buffer> {
  const bytes = await page.evaluate(async () => {
    const { OffscreenCanvas, VideoEncoder, VideoFrame } =
      globalThis as unknown as Globals;
    const canvas = new OffscreenCanvas(320, 180);
    const context = canvas.getContext("2d");
    context.fillStyle = "#2c6b8f";
    context.fillRect(0, 0, 320, 180);
    context.fillStyle = "#f2d7a6";
    context.fillRect(120, 40, 80, 100);
    let made: number[] = [];
    const encoder = new VideoEncoder({
      output(chunk) {
        const data = new Uint8Array(chunk.byteLength);
        chunk.copyTo(data);
        made = [...data];
      },
      error: (error) => console.error(error),
    });
    encoder.configure({ codec: "vp8", width: 320, height: 180, bitrate: 50_000 });
    const frame = new VideoFrame(canvas, { timestamp: 0 });
    encoder.encode(frame, { keyFrame: true });
    frame.close();
    await encoder.flush();
    return made;
  });
  if (bytes.length === 0 || bytes.length > 1100) {
    throw new Error(`The keyframe has ${bytes.length} bytes.`);
  }
  return Buffer.from(bytes);
}
