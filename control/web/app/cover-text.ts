import type { BroadcastInfo } from "#schema/events.ts";
import type { View } from "../sdk/index.ts";
import { problemText } from "./problem-text.ts";

/** What is read in place of a picture; empty where it is there. */
export function coverText({ tracks }: BroadcastInfo, view: View | undefined): string {
  switch (view?.state) {
    case undefined:
      return "Not watched";
    case "moving":
      return "Moving to another server…";
    case "waiting":
      return "Waiting for room: it comes by itself as soon as a server has some.";
    case "refused":
      return view.error ? problemText(view.error.code) : "Not shown at present.";
    case "lost":
      return "The connection to the server was lost. Connecting again…";
    case "requested":
    case "ready":
    case "closed":
      break;
  }
  const picture = tracks.find(({ source }) => source === "camera" || source === "screen");
  if (!picture) return "Sound only";
  if (picture.paused) return "The picture is hidden";
  if (view.heardOnly) return "Shown when they speak";
  return view.state === "ready" && view.shown ? "" : "Connecting…";
}

/** What is read over the last picture that came, where none comes now. */
export function veilText({ interrupted, identity }: BroadcastInfo, view: View): string {
  if (interrupted) {
    return `The connection of ${identity} is interrupted. The picture comes back by itself.`;
  }
  return view.stalled ? "No picture arrives at present. Another server is asked." : "";
}
