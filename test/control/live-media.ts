import type { Watched } from "#schema/api/media.ts";
import { RtpPeer } from "#test/agent/rtp-peer.ts";
import type { Control } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { bodyOf, callAs, type Member } from "./api.ts";
import { rtpParametersOf, watchBody } from "./media.ts";

/** Real media on real transports, asked for by the API as a client does. */
export class LiveMedia {
  readonly #control: Control;
  readonly #peers: RtpPeer[] = [];

  constructor(control: Control) {
    this.#control = control;
  }

  /** A client's end of a transport, connected to nothing yet. */
  async peer(): Promise<RtpPeer> {
    const peer = await RtpPeer.create();
    this.#peers.push(peer);
    return peer;
  }

  /** A broadcaster that sends real video. */
  async broadcast(member: Member) {
    const peer = await this.peer();
    const path = `/v1/sessions/${member.sessionId}/broadcasts`;
    const body = { media: "camera", dtlsParameters: peer.dtlsParameters };
    const claimed = await callAs(this.#control, member, "POST", path, { body });
    const { id, transport } = bodyOf(claimed, 201);
    await peer.connect(transport);
    const rtpParameters = rtpParametersOf("video");
    const track = { kind: "video", source: "camera", rtpParameters };
    const tracks = `/v1/broadcasts/${id}/tracks`;
    const answer = await callAs(this.#control, member, "POST", tracks, { body: track });
    peer.sendSteadily("video", rtpParameters.encodings[0]?.ssrc ?? 0);
    return { id, trackId: bodyOf(answer, 201).id as string, peer };
  }

  /** Watches on a real transport of its own. */
  async view(member: Member) {
    const peer = await this.peer();
    const body = { ...watchBody(member), dtlsParameters: peer.dtlsParameters };
    const path = `/v1/sessions/${member.sessionId}/views`;
    const answer = await callAs(this.#control, member, "POST", path, { body });
    const watched: Watched = bodyOf(answer, 200);
    const [seen] = watched.views;
    const [transport] = watched.transports;
    if (seen?.status !== "ready" || !transport) throw new Error(JSON.stringify(watched));
    await peer.connect(transport);
    return { id: seen.id, peer, watched, body };
  }

  /** Ends every client. */
  async end(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.vanish()));
  }
}

/** Waits until ten more packets of a ready view's video have come. */
export async function arrives(peer: RtpPeer, watched: Watched): Promise<void> {
  const [seen] = watched.views;
  if (seen?.status !== "ready") throw new Error(JSON.stringify(watched));
  const ssrc = Number(seen.consumers[0]?.rtpParameters.encodings?.[0]?.ssrc);
  const before = peer.packetsOf(ssrc);
  await waitFor(() => peer.packetsOf(ssrc) >= before + 10, { what: "more video" });
}
