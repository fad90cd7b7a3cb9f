import { expect, test } from "vitest";
import { Member } from "#test/channel/member.ts";
import { enter, openRoom, tokenFor } from "#test/control/api.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { bundleOnly, ObsEncoder } from "./obs-encoder.ts";
import { setStage, watchAll } from "./stage.ts";

const stage = setStage({}, { carrierSilenceMs: 2000, overBitrateMs: 500 });

/** Waits for the stream's end. @returns the reason that the room was told */
async function endOf(ben: Member): Promise<string | undefined> {
  const told = await ben.next("event", ({ event }) => event.type === "broadcast.stopped");
  return told.event.type === "broadcast.stopped" ? told.event.reason : undefined;
}

/** A room with an encoder's stream in it, and Ben in its channel. */
async function streaming(changed: (offer: string) => string = (offer) => offer) {
  const { control } = stage;
  const room = await openRoom(control);
  const ben = new Member(control, (await enter(control, room.id, "ben")).entry);
  await ben.join();
  const key = await tokenFor(control, room.id, "ana");
  const encoder = await ObsEncoder.create();
  const path = `/v1/rooms/${room.id}/whip`;
  const created = await stage.post(path, key, changed(encoder.offer));
  expect(created.status).toBe(201);
  await encoder.stream(await created.text());
  return { room, ben, encoder };
}

test("an encoder with GStreamer's habits goes on without asking for consent, and is given up when it falls silent", async () => {
  const { room, ben, encoder } = await streaming(bundleOnly);
  encoder.peer.stopConsent();
  const viewer = await watchAll(stage, room.id);
  // mediasoup's shortest time for consent is ten seconds: 500 packets.
  for (const kind of ["audio", "video"] as const) {
    const came = () => viewer.peer.packetsOf(viewer.ssrcOf(kind)) > 600;
    await waitFor(came, { what: `${kind} beyond the time for consent` });
  }
  encoder.fallSilent();
  expect(await endOf(ben)).toBe("nothing came for 2000 ms");
  await stage.allGivenBack();
  await encoder.peer.vanish();
  await viewer.peer.vanish();
});

test("an encoder that stays over what it was admitted with is ended, and the room hears why", async () => {
  const { ben, encoder } = await streaming();
  // 1000 bytes every 3 ms are 2.7 Mbit/s; 1.5 x 1280 kbit/s are 1.9.
  encoder.send(1000, 3);
  expect(await endOf(ben)).toMatch(/^sent \d+ kbit\/s, admitted with 1280$/);
  await stage.allGivenBack();
  await encoder.peer.vanish();
});
