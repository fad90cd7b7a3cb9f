import type { RtpCapabilitiesWire } from "#schema/media.ts";
import type { Env } from "../env.ts";
import { ask } from "./ask.ts";

/** By the hash of the codecs: a few kilobytes that every entry would bring anew. */
const known = new Map<string, RtpCapabilitiesWire>();

/**
 * What the routers of a zone can do, once it has a media host.
 * @param hash of the codecs, as the broker named it at entry
 */
export async function routerCapabilities(
  env: Env,
  zone: string,
  hash: string | undefined,
): Promise<RtpCapabilitiesWire | undefined> {
  if (hash === undefined) return undefined;
  const key = `${zone} ${hash}`;
  const there = known.get(key);
  if (there) return there;
  const { routerRtpCapabilities } = await ask(env, zone, "readCodecs", {});
  if (routerRtpCapabilities) known.set(key, routerRtpCapabilities);
  return routerRtpCapabilities;
}
