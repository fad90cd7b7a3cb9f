import type { types } from "mediasoup";
import type { NodeEvent } from "#schema/agent/control.ts";

type Quality = Extract<NodeEvent, { kind: "view-quality" }>;

/** A view's quality is told this often at most, in milliseconds. */
const tellEveryMs = 1000;

/**
 * Tells what a viewer gets of a video track: mediasoup's score and the layers
 * that it sends. What changes often is told once, as it is by then.
 */
export function watchQuality(
  consumer: types.Consumer,
  view: Pick<Quality, "roomId" | "sessionId" | "viewId">,
  emit: (event: Quality) => void,
): void {
  if (consumer.kind !== "video") return;
  let timer: NodeJS.Timeout | undefined;
  const tell = () => {
    timer = undefined;
    const { spatialLayer, temporalLayer } = consumer.currentLayers ?? {};
    const { score } = consumer.score;
    emit({ kind: "view-quality", ...view, score, spatialLayer, temporalLayer });
  };
  const changed = () => {
    timer ??= setTimeout(tell, tellEveryMs);
  };
  consumer.on("score", changed);
  consumer.on("layerschange", changed);
  consumer.observer.once("close", () => clearTimeout(timer));
}
