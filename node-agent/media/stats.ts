import type { CallResult } from "#schema/agent/call-results.ts";
import type { CallOf } from "#schema/agent/calls.ts";
import { gone } from "../calls/call-error.ts";
import type { Media } from "./media.ts";

type StatsOf = CallOf<"stats">["of"];
type Stats = CallResult<"stats">["stats"];

/**
 * mediasoup's own numbers for a broadcast's producers or a view's consumers,
 * each with the id of its track.
 * @throws CallError `gone` where the broadcast or view is not here
 */
export async function statsOf(media: Media, of: StatsOf): Promise<Stats> {
  if (of.type === "view") {
    const view = media.receiving.find(of.viewId);
    if (!view) throw gone(`View ${of.viewId}`);
    const lists = await Promise.all(
      [...view.consumers.values()].map(async ({ consumer, trackId }) =>
        (await consumer.getStats()).map((stat) => ({ ...stat, trackId })),
      ),
    );
    return lists.flat();
  }
  // While a broadcast moves it is here twice: what was opened last counts.
  const sent = media.sending.all.findLast((one) => one.broadcastId === of.broadcastId);
  if (!sent) throw gone(`Broadcast ${of.broadcastId}`);
  const lists = await Promise.all(
    [...sent.tracks].map(async ([trackId, { producer }]) =>
      (await producer.getStats()).map((stat) => ({ ...stat, trackId })),
    ),
  );
  return lists.flat();
}
