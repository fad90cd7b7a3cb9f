import { z } from "zod";

/** Longer than any name of a host, with what stands around it. */
const originMax = 300;

/** Whether a text is an origin of the web, written as browsers do. */
export function isWebOrigin(text: string): boolean {
  if (text.length > originMax || !/^https?:\/\//.test(text)) return false;
  return URL.canParse(text) && new URL(text).origin === text;
}

/** Where pages come from: `https://host`, with the port where it is not the usual. */
export const webOrigin = z.string().max(originMax).refine(isWebOrigin, {
  message: "is no origin: write https://host or https://host:port, without a path",
});
