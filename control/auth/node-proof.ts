import { jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { proofText } from "#schema/agent/proof.ts";
import { nodeIdOf } from "#schema/ids.ts";
import type { Config } from "../env.ts";
import { Problem } from "../problem.ts";
import { hmacKeyOf } from "./hmac.ts";

const claims = z.object({ sub: z.string(), epoch: z.number().int() });

/**
 * A challenge for a node that wants to register. It names the epoch that the
 * node has now, which registering raises: so it is good once, and nothing has to
 * be kept of it.
 */
export function challengeFor(
  config: Config,
  { nodeId, epoch }: { nodeId: string; epoch: number },
): Promise<string> {
  const { nodeChallengeMs } = config.settings.timing;
  return hmacKeyOf(config.secret).then((key) =>
    new SignJWT({ epoch })
      .setProtectedHeader({ alg: "HS256" })
      .setAudience("node-challenge")
      .setSubject(nodeId)
      .setJti(crypto.randomUUID())
      .setExpirationTime(new Date(Date.now() + nodeChallengeMs))
      .sign(key),
  );
}

/**
 * Checks that whoever registers holds the private key of the public one that
 * they show, by their signature under a challenge of this zone.
 * @returns the node, and the epoch in which the challenge was given
 * @throws Problem `challenge-refused`
 */
export async function verifyProof(
  config: Config,
  shown: { name: string; publicKey: string; challenge: string; signature: string },
): Promise<{ nodeId: string; epoch: number }> {
  const { zone } = config;
  const nodeId = nodeIdOf(zone, shown.name);
  try {
    const { payload } = await jwtVerify(shown.challenge, await hmacKeyOf(config.secret), {
      algorithms: ["HS256"],
      audience: "node-challenge",
      subject: nodeId,
    });
    const { epoch } = claims.parse(payload);
    const key = await crypto.subtle.importKey(
      "raw",
      bytesOf(shown.publicKey),
      { name: "Ed25519" },
      false,
      ["verify"],
    );
    const signed = new Uint8Array(
      proofText({ zone, nodeId, challenge: shown.challenge }),
    );
    const signature = bytesOf(shown.signature);
    if (await crypto.subtle.verify({ name: "Ed25519" }, key, signature, signed)) {
      return { nodeId, epoch };
    }
  } catch {
    // Whatever is wrong with it, the remedy is the same.
  }
  throw new Problem("challenge-refused", {
    detail: "The challenge is used up, too old or not signed by this key: take another.",
  });
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const base64 = base64url.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
