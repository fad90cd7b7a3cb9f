import type { CallResult } from "#schema/agent/call-results.ts";
import type { CallOf } from "#schema/agent/calls.ts";
import { gone } from "../calls/call-error.ts";
import { findLife, type MediaContext } from "./context.ts";
import type { Pairs } from "./pairs.ts";
import type { Piped } from "./piped.ts";
import type { Receiving } from "./receiving.ts";
import type { Transports } from "./transports.ts";
import type { WorkerLife } from "./worker-pool.ts";

interface Parts {
  transports: Transports;
  pairs: Pairs;
  piped: Piped;
  receiving: Receiving;
}

/** Serves views to clients that speak mediasoup's own parameters. */
export class Watching {
  readonly #context: MediaContext;
  readonly #parts: Parts;

  constructor(context: MediaContext, parts: Parts) {
    this.#context = context;
    this.#parts = parts;
  }

  /**
   * Does everything from legs to consumers. A view that fails does not fail
   * the others.
   * @throws CallError `gone` where the session, or every view, is closed,
   *   `invalid` where the transport or a view is another session's
   */
  async watch(call: CallOf<"watch">): Promise<CallResult<"watch">> {
    const { sessionId, transportId, views } = call;
    const { generations } = this.#context;
    const life = findLife(this.#context, call.worker);
    if (generations.isClosed(sessionId)) throw gone(`Session ${sessionId}`);
    const open = views.filter((view) => !generations.isClosed(view.viewId));
    if (views.length > 0 && open.length === 0) throw gone("The view");
    for (const { viewId } of open) this.#parts.receiving.owned(viewId, sessionId);
    return this.#parts.receiving.during(transportId, () => this.#watchOn(life, call));
  }

  async #watchOn(life: WorkerLife, call: CallOf<"watch">): Promise<CallResult<"watch">> {
    const { roomId, sessionId, transportId: id } = call;
    const plan = { id, direction: "receive" as const, roomId, sessionId, life };
    const { transports, pairs, piped, receiving } = this.#parts;
    // Pipes and transport do not need each other: they are made side by side.
    const piping = pairs
      .connectAll(life, call.pairs)
      .then(() =>
        Promise.all(
          call.views.map((view) =>
            piped.ensure(life, view).catch((error: unknown) => error as Error),
          ),
        ),
      );
    const opening = transports.open(plan);
    const [{ transport, isNew }, pipes] = await Promise.all([opening, piping]);
    const consuming = call.views.map((asked, index) =>
      receiving.serve(transport, asked, pipes[index], call.rtpCapabilities, !isNew),
    );
    const connecting =
      isNew && call.dtlsParameters
        ? transports.connect(transport, call.dtlsParameters)
        : undefined;
    try {
      const [views] = await Promise.all([Promise.all(consuming), connecting]);
      const parameters = transports.parametersOf(transport);
      return { transport: parameters, transportIsNew: isNew, views };
    } catch (error) {
      // Nobody was told of a transport whose call failed.
      if (isNew) transport.webRtc.close();
      throw error;
    } finally {
      receiving.reportActive(transport);
      receiving.checkIdle(transport);
    }
  }
}
