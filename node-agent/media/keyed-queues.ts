import { AwaitQueue } from "awaitqueue";

/**
 * Runs tasks of one key one after the other, tasks of different keys side by
 * side, so that two calls about the same pipe or transport cannot interleave.
 */
export class KeyedQueues {
  readonly #queues = new Map<string, AwaitQueue>();

  /**
   * Runs a task after all earlier ones of its key.
   * @returns what the task returns; rejects with what it throws
   */
  async run<Result>(key: string, task: () => Promise<Result>): Promise<Result> {
    let queue = this.#queues.get(key);
    if (!queue) {
      queue = new AwaitQueue();
      this.#queues.set(key, queue);
    }
    try {
      return await queue.push(task, key);
    } finally {
      if (queue.size === 0 && this.#queues.get(key) === queue) this.#queues.delete(key);
    }
  }
}
