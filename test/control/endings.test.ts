import { afterAll, beforeAll, expect, test } from "vitest";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { bodyOf } from "./api.ts";
import { registerPaper, registrationOf } from "./node.ts";

let control: Control;

beforeAll(async () => {
  control = await startControl({ mortalObjects: true });
});
afterAll(() => control.stop());

test("who asks an object that ends meanwhile is told to ask again", async () => {
  const paper = registrationOf("paper", [{ role: "consumer", mediaClass: "camera" }]);
  const { credential: key, nodeId } = bodyOf(await registerPaper(control, paper), 200);
  const poll = () => control.call("POST", "/v1/agent/poll", { key, body: { ackSeq: 0 } });
  let waiting = true;
  const asked = poll().finally(() => {
    waiting = false;
  });
  // Until the poll has arrived there is nothing that could break.
  const broken = async () => {
    if (waiting) await control.endObject("NODE_MAILBOX", nodeId);
    return !waiting;
  };
  await waitFor(broken, { what: "the poll to break" });
  const { status, body, headers } = await asked;
  expect([status, headers.get("retry-after")]).toEqual([503, "1"]);
  expect(body).toMatchObject({ code: "unavailable" });
});
