import { isPassing, type Room, type View } from "../sdk/index.ts";
import { problemText } from "./problem-text.ts";

/** What is the matter with the pictures of others, in a sentence; empty where all is well. */
export function describePictures(room: Room): string {
  const views = [...room.views.values()];
  const inState = (...states: View["state"][]) =>
    views.filter(({ state }) => states.includes(state));
  const missing = inState("refused", "lost").filter(({ error }) => error);
  const moving = inState("moving");
  const waiting = inState("waiting");
  const shown = inState("ready");
  const cutOff = [...room.broadcasts.values()].filter(
    ({ id, interrupted }) => interrupted && room.views.has(id),
  );
  const stalled = shown.filter(
    (view) => view.stalled && !cutOff.some(({ id }) => id === view.broadcastId),
  );
  const beside = shown.filter((view) => view.moving);
  const [first] = missing;
  if (moving.length > 0) {
    return `${pictures(moving.length)} moving to another server.`;
  }
  if (first?.error) {
    const again = isPassing(first.error.code) ? " It is tried again." : "";
    const why = problemText(first.error.code);
    return `${pictures(missing.length)} missing: ${why}${again}`;
  }
  if (cutOff.length > 0) {
    const names = cutOff.map(({ identity }) => identity);
    const [name] = names;
    return names.length === 1
      ? `The connection of ${name} is interrupted. The picture comes back by itself.`
      : `${names.length} broadcasts are interrupted. They come back by themselves.`;
  }
  if (stalled.length > 0) {
    return `${pictures(stalled.length)} standing still. Another server is asked.`;
  }
  if (waiting.length > 0) {
    const why = waiting[0]?.error ? ` ${problemText(waiting[0].error.code)}` : "";
    return `${pictures(waiting.length)} waiting for room.${why}`;
  }
  if (beside.length > 0) {
    return `${pictures(beside.length)} moving to another server, and shown on.`;
  }
  return "";
}

function pictures(count: number): string {
  return count === 1 ? "1 picture is" : `${count} pictures are`;
}
