import type { Watched } from "#schema/api/media.ts";
import { zoneOf } from "#schema/ids.ts";
import type { SessionPrincipal } from "../auth/tokens.ts";
import { configOf, type Env } from "../env.ts";
import { channelNameOf, channelOf } from "../objects/names.ts";
import { ask } from "./ask.ts";

/**
 * Brings what was `pending` to its session, over its socket alone and written
 * down nowhere, as it holds ICE secrets. Who is not reached asks again.
 * @throws Problem where the room is gone
 */
export async function tellBrought(
  env: Env,
  { roomId, sessionId }: SessionPrincipal,
  watched: Watched,
): Promise<void> {
  const { tier } = await ask(env, zoneOf(roomId) ?? "", "readRoom", { roomId });
  const { globalChannels } = configOf(env).settings.chat;
  const channel = channelOf(env, channelNameOf(roomId, tier, globalChannels));
  await channel.tell({ kind: "views-brought", roomId, sessionId, watched });
}
