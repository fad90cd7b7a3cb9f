import type { Member } from "#test/control/api.ts";
import type { Control } from "#test/harness/control.ts";

/**
 * Opens a member's channel as a page of an origin would, and says hello.
 * @returns what came of it: the first message, why it was refused, or `not opened`
 */
export function helloFrom(
  control: Control,
  member: Member,
  origin: string,
): Promise<string> {
  const url = new URL(member.entry.channelPath, control.url);
  const { promise, resolve } = Promise.withResolvers<string>();
  // Node takes headers here, which browsers do not.
  const options = { headers: { origin } } as unknown as string[];
  const socket = new WebSocket(url, options);
  let opened = false;
  socket.addEventListener("open", () => {
    opened = true;
    const hello = { type: "hello", credential: member.key, afterSeq: 0 };
    socket.send(JSON.stringify(hello));
  });
  socket.addEventListener("message", ({ data }) => {
    const { type, code } = JSON.parse(String(data));
    resolve(type === "refused" ? code : type);
    socket.close();
  });
  socket.addEventListener("error", () => resolve(opened ? "broken" : "not opened"));
  return promise;
}
