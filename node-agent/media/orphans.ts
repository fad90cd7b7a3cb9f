import type { CallOf, CallResult } from "#schema/agent/calls.ts";
import type { Media } from "./media.ts";

type Ledger = CallOf<"reconcile">;
type Found = CallResult<"reconcile">;
type Orphan = Found["orphans"][number];

function pipeName(broadcastId: string, consumerWorkerId: string, generation: number) {
  return `${broadcastId}>${consumerWorkerId}#${generation}`;
}

/**
 * Holds what is here against what the ledger has, and closes what nothing backs.
 * Young things are left alone: they may be newer than what the ledger said.
 */
export function reconcile(media: Media, ledger: Ledger): Found {
  const bornBeforeMs = performance.now() - media.context.timing.orphanGraceMs;
  const orphans: Orphan[] = [];
  const close = (kind: Orphan["kind"], name: string, end: () => void) => {
    media.context.log.warn({ kind, name }, "backed by nothing: closed");
    orphans.push({ kind, name });
    end();
  };
  const isOld = ({ bornAtMs }: { bornAtMs: number }) => bornAtMs < bornBeforeMs;

  const views = new Set(ledger.views);
  for (const view of media.receiving.all.filter(isOld)) {
    if (views.has(view.viewId)) continue;
    close("view", view.viewId, () => media.receiving.closeView(view.viewId));
  }
  const transports = new Set(ledger.transports);
  for (const { transport } of media.sending.all) {
    if (!isOld(transport) || transports.has(transport.id)) continue;
    close("transport", transport.id, () => transport.webRtc.close());
  }
  const pipes = new Set(
    ledger.pipes.map((pipe) =>
      pipeName(pipe.broadcastId, pipe.consumerWorkerId, pipe.generation),
    ),
  );
  for (const pipe of media.legs.all.filter(isOld)) {
    const name = pipeName(pipe.broadcastId, pipe.consumer.workerId, pipe.generation);
    if (!pipes.has(name)) close("outgoing-pipe", name, () => media.legs.close(pipe));
  }
  for (const pipe of media.piped.all.filter(isOld)) {
    const name = pipeName(pipe.broadcastId, pipe.consumer.workerId, pipe.generation);
    if (!pipes.has(name)) close("incoming-pipe", name, () => media.piped.close(pipe));
  }
  const sent = new Set(media.sending.all.map(({ transport }) => transport.id));
  return {
    orphans,
    missing: {
      views: ledger.views.filter((viewId) => !media.receiving.find(viewId)),
      transports: ledger.transports.filter((id) => !sent.has(id)),
    },
  };
}
