import { z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { AppEnv } from "../auth/access.ts";
import type { IceServer } from "../env.ts";
import { Problem } from "../problem.ts";
import { refusals } from "./spec.ts";

/*
 * What WHIP (RFC 9725) and WHEP have in common: bodies of SDP, a resource per
 * session with an entity tag per ICE session, ICE servers as links.
 */

export const sdpType = "application/sdp";
export const fragmentType = "application/trickle-ice-sdpfrag";

/** Characters of an SDP body: a browser's longest offers have a third of it. */
const maxLength = 65_536;

/** A text body of one media type, required. */
export function textBody(type: string) {
  const schema = z
    .string()
    .max(maxLength)
    .meta({ description: `The body is ${type}.` });
  return { content: { [type]: { schema } }, required: true as const };
}

/** What any offer may be refused with, besides what its own use adds. */
export const offerRefusals = [
  "not-found",
  "forbidden",
  "banned",
  "revoked",
  "room-closed",
  "room-full",
  "account-cap-exceeded",
  "no-screen-capacity",
  "no-pipe-capacity",
  "egress-exhausted",
  "quota-exhausted",
  "media-failed",
  "media-timeout",
] as const;

/** A text answer of one media type. */
export function text(type: string, description: string) {
  return { content: { [type]: { schema: z.string() } }, description };
}

/** What a PATCH of a resource may be answered with. */
export const patchResponses = {
  200: text(fragmentType, "ICE was restarted: the new parameters."),
  204: { description: "Taken." },
  ...refusals("not-found", "precondition-failed", "media-failed", "media-timeout"),
};

/** What a GET is answered with: neither endpoints nor resources can be read. */
export const getResponses = { 204: { description: "It is there; nothing can be read." } };

/** What a DELETE of a resource may be answered with. */
export const deleteResponses = {
  200: { description: "It has ended." },
  ...refusals("not-found"),
};

/**
 * Reads a body of SDP.
 * @throws Problem `unsupported-media-type` where it is of another type,
 *   `validation-failed` where it cannot be what it says
 */
export async function readText(c: Context, type: string): Promise<string> {
  const given = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (given !== type) {
    const detail = `The body has to be ${type}, not ${given || "of no type"}.`;
    throw new Problem("unsupported-media-type", { detail });
  }
  const body = await c.req.text();
  const wrong = type === sdpType ? offerFault(body) : lengthFault(body);
  if (wrong) throw new Problem("validation-failed", { detail: wrong });
  return body;
}

const needed: [line: RegExp, missing: string][] = [
  [/^m=(audio|video) /m, "It has no m= section of audio or video."],
  [/^a=ice-ufrag:/m, "It has no a=ice-ufrag and a=ice-pwd."],
  [/^a=fingerprint:/m, "It has no a=fingerprint."],
];

/** What makes a body no offer at a glance, so that no place is claimed for it. */
function offerFault(body: string): string | undefined {
  const missing = /^v=0\r?\n/.test(body)
    ? needed.find(([line]) => !line.test(body))?.[1]
    : "It does not begin with v=0.";
  return missing ? `The SDP cannot be taken. ${missing}` : lengthFault(body);
}

function lengthFault(body: string): string | undefined {
  return body.length > maxLength ? `At most ${maxLength} characters.` : undefined;
}

/** No entity tag of ours is longer, quotes and all. */
const maxTagLength = 128;

/**
 * Reads If-Match, without its quotes.
 * @throws Problem `precondition-failed` for what is longer than any tag
 */
export function readIfMatch(c: Context): string | undefined {
  const given = c.req.header("if-match")?.trim();
  if (given && given.length > maxTagLength) throw new Problem("precondition-failed");
  return given?.replace(/^(?:W\/)?"(.*)"$/, "$1");
}

/** The ICE servers as Link headers, one for each URL. */
export function iceLinks(servers: readonly IceServer[]): string[] {
  return servers.flatMap(({ urls, username, credential }) =>
    [urls].flat().map((url) => {
      const secret =
        typeof username === "string" && typeof credential === "string"
          ? `; username="${username}"; credential="${credential}"; credential-type="password"`
          : "";
      return `<${url}>; rel="ice-server"${secret}`;
    }),
  );
}

/** Any page may call: the bearer alone says who it is, and no cookie is read. */
export const crossOrigin: MiddlewareHandler<AppEnv>[] = [
  async (c, next) => {
    if (c.req.method === "OPTIONS") {
      c.header("Accept-Post", sdpType);
      c.header("Accept-Patch", fragmentType);
    }
    await next();
  },
  cors({
    origin: "*",
    allowMethods: ["GET", "POST", "PATCH", "DELETE"],
    allowHeaders: ["authorization", "content-type", "if-match"],
    exposeHeaders: ["location", "link", "etag", "accept-patch", "retry-after"],
    maxAge: 86_400,
  }),
];

/** The answer to an offer: 201 with the new resource's place and entity tag. */
export function created(
  location: string,
  { answer, etag }: { answer: string; etag: string },
  servers: readonly IceServer[],
): Response {
  const headers = new Headers({
    "content-type": sdpType,
    location,
    etag: `"${etag}"`,
    "accept-patch": fragmentType,
  });
  for (const link of iceLinks(servers)) headers.append("link", link);
  return new Response(answer, { status: 201, headers });
}

/** The answer to a fragment: what is new after a restart, else nothing, and no tag. */
export function patched({ etag, fragment }: { etag: string; fragment?: string }) {
  if (fragment === undefined) return new Response(null, { status: 204 });
  const headers = { etag: `"${etag}"`, "content-type": fragmentType };
  return new Response(fragment, { status: 200, headers });
}
