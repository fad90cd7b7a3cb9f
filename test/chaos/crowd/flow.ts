/** A picture comes every 100 ms: this long without one is an interruption. */
const darkFromMs = 500;

/** What one participant gets of another's camera, packet by packet. */
export class Flow {
  /** Whose camera it is. */
  readonly identity: string;
  readonly wantedAtMs: number;
  firstAtMs: number | undefined;
  lastAtMs: number;
  /** How long the picture stayed away each time, and until when. */
  readonly interruptions: { ms: number; untilMs: number }[] = [];
  /** Pictures that came so far. */
  pictures = 0;
  #ended = false;

  /** @param nowMs when the camera began to send */
  constructor(identity: string, nowMs: number) {
    this.identity = identity;
    this.wantedAtMs = nowMs;
    this.lastAtMs = nowMs;
  }

  /** A packet of the picture came. */
  packet(nowMs: number): void {
    if (this.firstAtMs === undefined) this.firstAtMs = nowMs;
    else this.#note(nowMs);
    this.lastAtMs = nowMs;
    this.pictures += 1;
  }

  /** Time that this process itself slept is no interruption. */
  forgive(ms: number): void {
    this.lastAtMs += ms;
  }

  /** Either side has left: what stays away from now on is not missed. */
  end(nowMs: number): void {
    if (this.firstAtMs !== undefined) this.#note(nowMs);
    this.#ended = true;
  }

  /** Whether there should be a picture now and is none. */
  isDark(nowMs: number): boolean {
    return !this.#ended && nowMs - this.lastAtMs > darkFromMs;
  }

  #note(nowMs: number): void {
    const gapMs = nowMs - this.lastAtMs;
    if (!this.#ended && gapMs > darkFromMs) {
      this.interruptions.push({ ms: gapMs, untilMs: nowMs });
    }
  }
}
