import { afterAll, beforeAll, expect, test } from "vitest";
import { bodyOf, callAs, enter, openRoom, tokenFor } from "#test/control/api.ts";
import { goLive, readyViews, someDtlsParameters, watch } from "#test/control/media.ts";
import { type RunningAgent, startAgent } from "#test/harness/agent.ts";
import { type Control, startControl } from "#test/harness/control.ts";

let control: Control;
let agent: RunningAgent;

beforeAll(async () => {
  control = await startControl();
  const workers = "producer:camera:1,consumer:camera:1";
  agent = await startAgent({
    control,
    name: "talkative",
    workers,
    env: { WEIR_LOG_LEVEL: "trace" },
  });
});
afterAll(async () => {
  await agent.stop();
  await control.stop();
});

test("no secret, token or SDP reaches a log of control or of a host", async () => {
  const room = await openRoom(control);
  const token = await tokenFor(control, room.id, "ann");
  const ann = await enter(control, room.id, "ann");
  const bob = await enter(control, room.id, "bob");
  await goLive(control, ann);
  const watched = await watch(control, bob);
  expect(readyViews(watched)).toHaveLength(1);
  const transport = watched.transports[0];
  const restart = `/v1/transports/${transport?.id}/restart-ice`;
  const ice = bodyOf(await callAs(control, bob, "POST", restart), 200).iceParameters;
  // What goes wrong is logged most of all.
  await callAs(control, ann, "POST", restart);
  await control.call("POST", `/v1/rooms/${room.id}/sessions`, { key: `${token}x` });
  const keys = `/v1/sessions/${ann.sessionId}/stream-keys`;
  const streamKey = bodyOf(await callAs(control, ann, "POST", keys), 201).key;
  const offer = `v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:grepme\r\na=ice-pwd:grep-me-in-the-logs\r\na=fingerprint:sha-256 AB\r\n`;
  const whip = await fetch(new URL(`/v1/rooms/${room.id}/whip`, control.url), {
    method: "POST",
    headers: { authorization: `Bearer ${streamKey}`, "content-type": "application/sdp" },
    body: offer,
  });
  expect(whip.status).toBeGreaterThanOrEqual(400);
  const { icePwd, iceUfrag } = (transport?.iceParameters ?? {}) as Record<string, string>;
  const secrets = {
    token,
    streamKey,
    "ann's credential": ann.key,
    "bob's credential": bob.key,
    ...control.keys,
    "API secret": control.keys.api.split(".")[1],
    "ICE password": ice.password,
    "first ICE password": icePwd ?? transport?.iceParameters.password,
    "ICE user name": iceUfrag ?? transport?.iceParameters.usernameFragment,
    "offer's ICE password": "grep-me-in-the-logs",
    fingerprint: someDtlsParameters.fingerprints[0]?.value,
  };
  const logs = [...control.logs(), ...agent.logs()].join("\n");
  expect(logs).toContain("registered");
  for (const [what, secret] of Object.entries(secrets)) {
    expect(typeof secret, what).toBe("string");
    expect(logs.includes(String(secret)), `${what} is in a log`).toBe(false);
  }
  expect(logs).not.toContain("a=ice-pwd");
});
