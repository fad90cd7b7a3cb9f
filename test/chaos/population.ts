import type { Random } from "#test/sim/random.ts";
import type { CrowdMethods } from "./crowd/contract.ts";
import type { Door } from "./door.ts";
import type { Remote } from "./rpc.ts";

export interface PopulationOptions {
  crowd: Remote<CrowdMethods>;
  door: Door;
  random: Random;
  rooms: number;
  /** Cameras in each room, in turn. */
  cameras: readonly number[];
  viewersPerRoom: number;
  say: (text: string) => void;
}

interface Person {
  identity: string;
  room: number;
  camera: boolean;
}

/** Who is to be in which room: those who leave or vanish are followed by others. */
export class Population {
  readonly #options: PopulationOptions;
  readonly #people: Person[] = [];
  readonly #coming = new Set<Promise<void>>();
  #isOver = false;
  joins = 0;
  refusals = 0;

  constructor(options: PopulationOptions) {
    this.#options = options;
  }

  /**
   * Fills the rooms, cameras first.
   * @throws Error where that takes too long
   */
  async fill(withinMs: number): Promise<void> {
    const late = setTimeout(() => {
      this.#isOver = true;
    }, withinMs);
    const { rooms, cameras, viewersPerRoom } = this.#options;
    const places = Array.from({ length: rooms }, (_, room) => room);
    await Promise.all(
      places.map(async (room) => {
        const count = cameras[room % cameras.length] ?? 1;
        for (let at = 0; at < count; at++) await this.#join(room, true);
        for (let at = 0; at < viewersPerRoom; at++) await this.#join(room, false);
      }),
    );
    clearTimeout(late);
    if (this.#isOver) throw new Error("The rooms could not be filled.");
  }

  /** Someone leaves as they should, and another comes. */
  async change(camera: boolean): Promise<void> {
    const person = this.#take(camera, this.#options.random.between(0, 1000));
    if (!person) return;
    await this.#options.crowd.leave(person.identity);
    this.#follow(person);
  }

  /** Someone falls silent without a word; another comes. */
  async vanish(camera: boolean, which: number): Promise<void> {
    const person = this.#take(camera, which);
    if (!person) return;
    const { crowd, door } = this.#options;
    const address = await crowd.addressOf(person.identity);
    // First the way to control, or the SDK would say that it leaves.
    if (address) door.cut(address);
    await crowd.vanish(person.identity);
    this.#follow(person);
  }

  /** Nobody comes any more; waits for those who are on their way. */
  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#coming);
  }

  #take(camera: boolean, which: number): Person | undefined {
    const of = this.#people.filter((person) => person.camera === camera);
    const person = of[which % Math.max(of.length, 1)];
    if (person) this.#people.splice(this.#people.indexOf(person), 1);
    return person;
  }

  #follow({ room, camera }: Person): void {
    const coming = this.#join(room, camera).finally(() => this.#coming.delete(coming));
    this.#coming.add(coming);
  }

  /** Tries until it is in: what fails may be just what was made to fail. */
  async #join(room: number, camera: boolean): Promise<void> {
    while (!this.#isOver) {
      try {
        const identity = await this.#options.crowd.join(room, camera);
        this.joins += 1;
        this.#people.push({ identity, room, camera });
        return;
      } catch (error) {
        this.refusals += 1;
        const [line = ""] = (error as Error).message.split("\n");
        this.#options.say(`someone could not join room ${room + 1} yet: ${line}`);
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
  }
}
