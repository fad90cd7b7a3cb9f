/** What goes through one view or publication, since the numbers were last asked for. */
export interface MediaStats {
  /** Sound and picture together, in kbit/s. */
  bitrateKbps: number;
  framesPerSecond?: number;
  /** Of the picture, in its own pixels: of the best layer that is sent. */
  width?: number;
  height?: number;
  /** Of all packets, how many were lost on the way, 0-100. */
  lossPercent?: number;
  /** Between this browser and the media host, in milliseconds. */
  roundTripMs?: number;
  /** How unevenly packets arrive, in milliseconds. */
  jitterMs?: number;
  /** Received: the layer that is sent here. Sent: the best of them. */
  spatialLayer?: number;
  temporalLayer?: number;
  /** mediasoup's score of what is received: 10 is all of it. */
  score?: number;
  /** The video codec, such as `VP8`. */
  codec?: string;
  /** The worker at the other end. */
  workerId?: string;
}

/** All numbers of a room at one moment. */
export interface RoomStats {
  /** What is received, by broadcast id. */
  views: Map<string, MediaStats>;
  /** What is sent, by broadcast id. */
  publications: Map<string, MediaStats>;
}

interface Totals {
  atMs: number;
  bytes: number;
  packets: number;
  lost: number;
}

/** The parts of browsers' numbers that are read here; none of them is certain. */
interface Entry {
  id: string;
  type: string;
  kind?: string;
  bytesReceived?: number;
  bytesSent?: number;
  packetsReceived?: number;
  packetsSent?: number;
  packetsLost?: number;
  framesPerSecond?: number;
  frameWidth?: number;
  frameHeight?: number;
  jitter?: number;
  roundTripTime?: number;
  currentRoundTripTime?: number;
  nominated?: boolean;
  state?: string;
  active?: boolean;
  codecId?: string;
  mimeType?: string;
}

/** Numbers that are asked for sooner than this are the ones from before. */
const freshForMs = 400;

/** Turns the browser's counts into what happened between two looks at them. */
export class Meter {
  #before: Totals | undefined;
  #last: MediaStats = { bitrateKbps: 0 };

  /**
   * @param read fetches the reports of all senders or receivers that belong together
   * @param nowMs `performance.now()`
   */
  async measure(
    read: () => Promise<RTCStatsReport[]>,
    nowMs = performance.now(),
  ): Promise<MediaStats> {
    if (this.#before && nowMs - this.#before.atMs < freshForMs) return this.#last;
    const entries = (await read()).flatMap((report) => [...report.values()] as Entry[]);
    const sent = entries.filter(({ type }) => type === "outbound-rtp");
    const received = entries.filter(({ type }) => type === "inbound-rtp");
    const remote = entries.filter(({ type }) => type === "remote-inbound-rtp");
    const now: Totals = {
      atMs: nowMs,
      bytes: sum(sent, "bytesSent") + sum(received, "bytesReceived"),
      packets: sum(sent, "packetsSent") + sum(received, "packetsReceived"),
      lost: sum(received, "packetsLost") + sum(remote, "packetsLost"),
    };
    this.#last = { ...rates(this.#before, now), ...pictureOf([...sent, ...received]) };
    const roundTripMs = roundTripOf(entries);
    if (roundTripMs !== undefined) this.#last.roundTripMs = roundTripMs;
    const jitter = Math.max(...received.map((entry) => entry.jitter ?? 0));
    if (received.length > 0) this.#last.jitterMs = jitter * 1000;
    const codecId = [...sent, ...received].find(({ kind }) => kind === "video")?.codecId;
    const mimeType = entries.find(({ id }) => id === codecId)?.mimeType;
    if (mimeType) this.#last.codec = mimeType.replace(/^video\//, "");
    this.#before = now;
    return this.#last;
  }
}

function sum(entries: Entry[], key: keyof Entry): number {
  return entries.reduce((total, entry) => total + Number(entry[key] ?? 0), 0);
}

function rates(before: Totals | undefined, now: Totals) {
  // Counters begin anew where media comes from elsewhere than before.
  if (!before || now.bytes < before.bytes) return { bitrateKbps: 0 };
  const bitrateKbps = ((now.bytes - before.bytes) * 8) / (now.atMs - before.atMs);
  const lost = Math.max(0, now.lost - before.lost);
  const all = now.packets - before.packets + lost;
  return all > 0 ? { bitrateKbps, lossPercent: (100 * lost) / all } : { bitrateKbps };
}

/** Of several layers the largest that is sent. */
function pictureOf(entries: Entry[]): Partial<MediaStats> {
  const layers = entries.filter(
    ({ kind, frameHeight, active }) =>
      kind === "video" && frameHeight && active !== false,
  );
  layers.sort((a, b) => (b.frameHeight ?? 0) - (a.frameHeight ?? 0));
  const [best] = layers;
  if (!best) return {};
  return {
    framesPerSecond: best.framesPerSecond ?? 0,
    width: best.frameWidth,
    height: best.frameHeight,
    ...(best.type === "outbound-rtp" && { spatialLayer: layers.length - 1 }),
  };
}

function roundTripOf(entries: Entry[]): number | undefined {
  const pair = entries.find(
    ({ type, nominated, state }) =>
      type === "candidate-pair" && nominated && state === "succeeded",
  );
  const seconds =
    pair?.currentRoundTripTime ??
    entries.find(({ roundTripTime }) => roundTripTime !== undefined)?.roundTripTime;
  return seconds === undefined ? undefined : seconds * 1000;
}
