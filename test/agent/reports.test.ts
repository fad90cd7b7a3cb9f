import { afterEach, beforeEach, expect, test } from "vitest";
import { waitFor } from "#test/harness/wait-for.ts";
import type { DrivenNode } from "./driven-node.ts";
import { Rig } from "./rig.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await new Rig().start();
});
afterEach(async () => {
  await rig.close();
});

/** A call that answers at once and changes nothing. */
function ask(node: DrivenNode, callId: string) {
  const of = { type: "view" as const, viewId: "view_t_none" };
  node.push({
    calls: [{ callId, deadlineMs: 5000, afterSeq: 0, request: { op: "stats", of } }],
  });
}

test("an answer that control cannot read does not take the others with it", async () => {
  const { agent, node } = await rig.agent("one", "consumer:camera:1");
  let refused = 0;
  rig.control.onReport = (report) => {
    if (!report.answers.some((answer) => answer.callId === "call_t_bad")) return;
    refused += 1;
    throw new Error("This cannot be read.");
  };
  for (const callId of ["call_t_1", "call_t_bad", "call_t_2"]) ask(node, callId);
  await waitFor(() => node.answers.size === 2, { what: "both good answers" });
  expect([...node.answers.keys()].sort()).toEqual(["call_t_1", "call_t_2"]);
  await waitFor(() => refused >= 2, { what: "the bad one, alone" });
  expect(agent.registration?.reporter.waiting).toBe(0);
  expect(rig.control.registrations).toBe(1);
});

test("a report that hangs holds up no answer that comes after it", async () => {
  const { node } = await rig.agent("one", "consumer:camera:1");
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let hanging = false;
  rig.control.onReport = async (report) => {
    if (!report.answers.some((answer) => answer.callId === "call_t_slow")) return;
    hanging = true;
    await held;
  };
  ask(node, "call_t_slow");
  await waitFor(() => hanging, { what: "the report to hang" });
  ask(node, "call_t_quick");
  await waitFor(() => node.answers.has("call_t_quick"), { what: "the quick answer" });
  expect(node.answers.has("call_t_slow")).toBe(false);
  release();
  await waitFor(() => node.answers.has("call_t_slow"), { what: "the slow answer" });
});

test("what a failed report carried is reported again until it is taken", async () => {
  const { node } = await rig.agent("one", "consumer:camera:1");
  let failures = 0;
  rig.control.failReports = () => {
    failures += 1;
    return failures <= 3;
  };
  ask(node, "call_t_1");
  await waitFor(() => node.answers.has("call_t_1"), { what: "the answer" });
  expect(failures).toBeGreaterThan(3);
});

test("events keep their order through failures", async () => {
  const { node } = await rig.agent("one", "producer:camera:1", { dtlsConnectMs: 30 });
  let count = 0;
  rig.control.failReports = () => {
    count += 1;
    return count % 2 === 1;
  };
  const names = ["a", "b", "c", "d"].map((name) => `transport_t_${name}`);
  for (const transportId of names) {
    await node.ask({
      op: "open-send-transport",
      roomId: "room_t_1",
      sessionId: "session_t_1",
      worker: node.workerRef(0),
      transportId,
      broadcastId: transportId.replace("transport", "broadcast"),
      maxIncomingKbps: 1000,
    });
  }
  const lost = () => node.eventsOf("transport-lost").map((event) => event.transportId);
  await waitFor(() => lost().length >= names.length, { what: "all events" });
  expect(lost()).toEqual(names);
});
