import type { ProblemCode } from "#schema/problems.ts";
import type { MediaClass } from "#schema/settings.ts";
import type { RefusedView, ViewPlacement, ViewRequest } from "./decision.ts";
import { takeFreeSeats } from "./free-seats.ts";
import { type PointsGrounds, takeNewPoints } from "./new-points.ts";
import type { Picture } from "./picture.ts";
import type { BroadcastPicture } from "./picture-rows.ts";
import { Search } from "./search.ts";

/**
 * Slot-packing: places all views that one session asks for. Free seats come
 * first, new points after them, and nothing is ever filled past its mark. The
 * picture is only read; the same request and picture give the same answer.
 * @returns every wanted broadcast either placed or refused with what is missing
 */
export function placeViews(request: ViewRequest, picture: Picture): ViewPlacement {
  const search = new Search(request, picture);
  takeFreeSeats(search);
  const grounds: Record<MediaClass, PointsGrounds> = {
    camera: takeNewPoints(search, "camera"),
    screen: takeNewPoints(search, "screen"),
  };
  const answer: ViewPlacement = { placed: [], refused: [] };
  for (const broadcastId of request.broadcastIds) {
    const placed = search.placed.get(broadcastId);
    const broadcast = search.remaining.get(broadcastId);
    if (placed) answer.placed.push(placed);
    else if (broadcast) answer.refused.push(refuse(search, broadcast, grounds));
    else answer.refused.push({ broadcastId, code: "not-found", ...nothing });
  }
  return answer;
}

const nothing = { considered: 0, passedOver: {} };

function refuse(
  search: Search,
  broadcast: BroadcastPicture,
  grounds: Record<MediaClass, PointsGrounds>,
): RefusedView {
  const { considered, passedOver } = grounds[broadcast.mediaClass];
  const code = codeOf(search, broadcast, grounds[broadcast.mediaClass]);
  return { broadcastId: broadcast.id, code, considered, passedOver };
}

/** Names what is missing; bandwidth only where there are points to use it. */
function codeOf(
  search: Search,
  broadcast: BroadcastPicture,
  grounds: PointsGrounds,
): ProblemCode {
  const { picture, overlay } = search;
  const starved =
    (grounds.passedOver["no-egress"] ?? 0) + (grounds.passedOver["no-ingress"] ?? 0);
  const left = picture
    .freeLevels(broadcast.mediaClass)
    .some((free) =>
      picture
        .workersWithFree(broadcast.mediaClass, free)
        .some((id) => search.freePoints(workerOf(picture, id)) > 0),
    );
  const producer = picture.workers.get(broadcast.producerWorkerId);
  if (
    left &&
    (!producer || overlay.legsLeft(producer) < picture.settings.weight.legsPerPipe)
  ) {
    return "no-pipe-capacity";
  }
  if (left || starved > 0) return "egress-exhausted";
  if ((grounds.passedOver["no-quota"] ?? 0) > 0) return "quota-exhausted";
  return broadcast.mediaClass === "screen"
    ? "no-screen-capacity"
    : "no-consumer-capacity";
}

function workerOf(picture: Picture, id: string) {
  const worker = picture.workers.get(id);
  if (!worker) throw new Error(`The index lists ${id}, which the picture does not have.`);
  return worker;
}
