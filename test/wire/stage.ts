import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import type { Timing } from "#agent/timing.ts";
import { RtpPeer } from "#test/agent/rtp-peer.ts";
import { findBrowser, startBrowser } from "#test/browser/browser.ts";
import { bodyOf, callAs, enter, type Member } from "#test/control/api.ts";
import { startNode, type TestNode } from "#test/control/node.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { openBarePage } from "./bare-page.ts";

/** A zone of two hosts, so that every view crosses a pipe between them. */
export interface Stage {
  readonly control: Control;
  readonly sending: TestNode;
  readonly receiving: TestNode;
  /** An empty page of another origin; only where there is a browser. */
  page(): Promise<Page>;
  /** Posts a body of any type; a string is sent as it is. */
  post(path: string, key: string, body: string, type?: string): Promise<Response>;
  /** Waits until nothing is held any more: no session, place, point or pipe. */
  allGivenBack(): Promise<void>;
}

/**
 * Sets the stage for the tests around the call, and takes it down after them.
 * @param env more of control's and of the agents' environment
 * @param timing other delays of the agents
 */
export function setStage(
  env: { control?: Record<string, string>; agents?: Record<string, string> } = {},
  timing: Partial<Timing> = {},
): Stage {
  let control: Control;
  let sending: TestNode;
  let receiving: TestNode;
  let browser: Browser | undefined;

  beforeAll(async () => {
    control = await startControl({
      settings: { timing: { pipeLingerMs: 200, heartbeatMs: 500 } },
      env: env.control,
    });
    const delays = { iceGraceMs: 500, dtlsConnectMs: 15_000, ...timing };
    const start = (name: string, workers: string) =>
      startNode(control, name, workers, delays, env.agents);
    sending = await start("sending", "producer:camera:2");
    receiving = await start("receiving", "consumer:camera:2");
    const path = findBrowser();
    if (path) browser = await startBrowser(path);
  });

  afterAll(async () => {
    await browser?.close();
    await Promise.all([sending?.stop(), receiving?.stop()]);
    await control?.stop();
  });

  return {
    get control() {
      return control;
    },
    get sending() {
      return sending;
    },
    get receiving() {
      return receiving;
    },
    page() {
      if (!browser) throw new Error("There is no browser.");
      return openBarePage(browser);
    },
    post: (path, key, body, type = "application/sdp") =>
      fetch(new URL(path, control.url), {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": type },
        body,
      }),
    async allGivenBack() {
      const held = `SELECT (SELECT count(*) FROM session WHERE carrier <> 'channel')
        + (SELECT count(*) FROM broadcast) + (SELECT count(*) FROM view)
        + (SELECT count(*) FROM pipe) + (SELECT sum(points_used) FROM worker)
        + (SELECT sum(egress_used_kbps + ingress_used_kbps) FROM node)`;
      const left = async () => {
        const { rows } = await control.database.execute(held);
        return Number(Object.values(rows[0] ?? {})[0]) === 0;
      };
      await waitFor(left, { what: "everything to be given back" });
    },
  };
}

/** Someone who watches by the API, with a peer that counts what comes. */
export interface Watcher {
  member: Member;
  peer: RtpPeer;
  /** The SSRC of what is received of a kind. */
  ssrcOf(kind: "audio" | "video"): number;
}

/** Enters and watches all that is live in a room. */
export async function watchAll(stage: Stage, roomId: string): Promise<Watcher> {
  const { control } = stage;
  const member = await enter(control, roomId, "watcher");
  const peer = await RtpPeer.create();
  const path = `/v1/sessions/${member.sessionId}/views`;
  const body = {
    broadcasts: "all",
    rtpCapabilities: member.entry.routerRtpCapabilities,
    dtlsParameters: peer.dtlsParameters,
  };
  // What is refused or pending on a busy machine is asked for again, as by any client.
  const ready = async () => {
    const answer = bodyOf(await callAs(control, member, "POST", path, { body }), 200);
    return answer.views[0]?.status === "ready" && answer.transports[0] && answer;
  };
  const watched = await waitFor(ready, { what: "the seat and its transport" });
  await peer.connect(watched.transports[0]);
  return {
    member,
    peer,
    ssrcOf: (kind) =>
      watched.views[0].consumers.find((one: { kind: string }) => one.kind === kind)
        .rtpParameters.encodings[0].ssrc,
  };
}
