import { callApi } from "#control/web/sdk/api.ts";
import type { CrowdOptions, CrowdReport } from "./contract.ts";
import { Participant } from "./participant.ts";

const lookMs = 100;

/** All participants of a run. */
export class Crowd {
  readonly #options: CrowdOptions;
  readonly #present = new Map<string, Participant>();
  readonly #past: Participant[] = [];
  readonly #roomIds: string[] = [];
  readonly #timer: ReturnType<typeof setInterval>;
  #lookedAtMs = performance.now();
  #count = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), lookMs);
  }

  /** Opens the rooms. */
  async open(): Promise<string[]> {
    const { rooms, apiKey, tier } = this.#options;
    for (let at = 0; at < rooms; at++) {
      const url = this.#urlOf(0);
      const body = { tier, name: `room ${at + 1}` };
      const room = await callApi<{ id: string }>(url, apiKey, "POST", "/v1/rooms", body);
      this.#roomIds.push(room.id);
    }
    return this.#roomIds;
  }

  /**
   * Brings someone into a room.
   * @param roomAt the room's place among the rooms
   * @returns their identity, and the address that they come from
   * @throws WeirError why they cannot enter or broadcast
   */
  async join(roomAt: number, broadcasts: boolean): Promise<string> {
    this.#count += 1;
    const url = this.#urlOf(this.#count);
    const identity = `${broadcasts ? "camera" : "viewer"}-${this.#count}`;
    const roomId = this.#roomIds[roomAt] ?? "";
    const token = () => this.#tokenFor(roomId, identity);
    const options = { url, roomId, identity, broadcasts, token };
    const participant = new Participant(options);
    this.#present.set(identity, participant);
    try {
      await participant.enter();
    } catch (error) {
      await participant.leave();
      // Who never came in has seen nothing that would have to be told.
      this.#present.delete(identity);
      throw error;
    }
    return identity;
  }

  /** Lets someone leave as they should. */
  async leave(identity: string): Promise<void> {
    const participant = this.#present.get(identity);
    if (!participant) return;
    this.#forget(participant);
    await participant.leave();
  }

  /** The address that someone comes from, if they are there. */
  addressOf(identity: string): string | undefined {
    const participant = this.#present.get(identity);
    return participant && new URL(participant.options.url).hostname;
  }

  /** The session that someone is in, if they are there. */
  sessionOf(identity: string): string | undefined {
    return this.#present.get(identity)?.sessionId;
  }

  /** Lets every connection of someone's media break. */
  async breakTransports(identity: string): Promise<void> {
    await this.#present.get(identity)?.breakTransports();
  }

  /** Lets someone fall silent, whose address was cut before. */
  vanish(identity: string): void {
    const participant = this.#present.get(identity);
    if (!participant) return;
    this.#forget(participant);
    participant.vanish();
  }

  async leaveAll(): Promise<void> {
    await Promise.all([...this.#present.keys()].map((identity) => this.leave(identity)));
  }

  report(): CrowdReport {
    const everyone = [...this.#present.values(), ...this.#past];
    const flows = everyone.flatMap(({ flows, past }) => [...flows.values(), ...past]);
    const served = flows.filter(({ firstAtMs }) => firstAtMs !== undefined);
    const nowMs = performance.now();
    const failures: Record<string, number> = {};
    for (const { failure } of everyone) {
      if (failure) failures[failure] = (failures[failure] ?? 0) + 1;
    }
    return {
      present: this.#present.size,
      broadcasters: [...this.#present.values()].filter((one) => one.sending).length,
      views: served.length,
      interrupted: served.filter((flow) => flow.interruptions.length > 0).length,
      interruptionMs: served.flatMap((flow) => flow.interruptions.map(({ ms }) => ms)),
      longest: longestOf(everyone),
      firstPictureMs: served.map(
        ({ firstAtMs = 0, wantedAtMs }) => firstAtMs - wantedAtMs,
      ),
      dark: flows.filter((flow) => flow.isDark(nowMs)).length,
      failures,
    };
  }

  /** How many pictures came so far, by viewer and camera. */
  pictures(): Record<string, number> {
    const counts = [...this.#present.values()].flatMap(({ identity, flows }) =>
      [...flows.values()].map((flow) => [`${identity} ${flow.identity}`, flow.pictures]),
    );
    return Object.fromEntries(counts);
  }

  /** Those present who do not see what they should, for the log of a failed run. */
  describeDark() {
    return [...this.#present.values()]
      .map((participant) => participant.describe())
      .filter(({ dark, failure }) => dark.length > 0 || failure);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    const sleptMs = nowMs - this.#lookedAtMs - lookMs;
    this.#lookedAtMs = nowMs;
    const sending = new Map<string, Set<string>>();
    for (const { options, sending: isSending } of this.#present.values()) {
      if (!isSending) continue;
      const ofRoom = sending.get(options.roomId) ?? new Set();
      sending.set(options.roomId, ofRoom.add(options.identity));
    }
    for (const participant of this.#present.values()) {
      if (sleptMs > lookMs) {
        for (const flow of participant.flows.values()) flow.forgive(sleptMs);
      }
      participant.expect(sending.get(participant.options.roomId) ?? new Set(), nowMs);
    }
  }

  #forget(participant: Participant): void {
    this.#present.delete(participant.identity);
    this.#past.push(participant);
  }

  async #tokenFor(roomId: string, identity: string): Promise<string> {
    const path = `/v1/rooms/${roomId}/tokens`;
    const { apiKey } = this.#options;
    const url = this.#urlOf(0);
    const answer = await callApi<{ token: string }>(url, apiKey, "POST", path, {
      identity,
    });
    return answer.token;
  }

  /** Everybody comes by an address of their own, so that one alone can be cut. */
  #urlOf(number: number): string {
    const host = `127.1.${Math.floor(number / 250) % 250}.${(number % 250) + 1}`;
    return `http://${host}:${this.#options.doorPort}`;
  }
}

const longestShown = 12;

function longestOf(everyone: readonly Participant[]): string[] {
  const all = everyone.flatMap(({ identity, flows, past }) =>
    [...flows.values(), ...past].flatMap((flow) =>
      flow.interruptions.map((one) => ({ ...one, viewer: identity, of: flow.identity })),
    ),
  );
  const longest = all.sort((a, b) => b.ms - a.ms).slice(0, longestShown);
  return longest.map(({ ms, untilMs, viewer, of }) => {
    const until = new Date(performance.timeOrigin + untilMs).toISOString();
    return `${viewer} did not see ${of} for ${Math.round(ms)} ms until ${until}`;
  });
}
