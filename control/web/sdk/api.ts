import type { z } from "zod";
import type { streamKey } from "#schema/api/ingest.ts";
import type {
  createBroadcast,
  createdBroadcast,
  createTrack,
  createViews,
  patchViews,
  restartedIce,
  resumeBroadcast,
  resumeTrack,
  syncView,
  track,
  Watched,
} from "#schema/api/media.ts";
import type { credential, Entry } from "#schema/api/rooms.ts";
import type { DtlsParametersWire } from "#schema/media.ts";
import type { MediaClass } from "#schema/settings.ts";
import { asWeirError, readProblem, WeirError } from "./errors.ts";

/** What an encoder such as OBS takes to publish under a session's identity. */
export interface StreamKey extends z.infer<typeof streamKey> {
  /** Where the encoder sends its offer. */
  url: string;
}

/** How a resource is called. */
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Options of a call: `keepalive` lets it outlive the page. */
export interface CallOptions {
  keepalive?: boolean;
  /** Milliseconds after which the call counts as failed; 15,000 by default. */
  timeoutMs?: number;
}

/**
 * Makes one call of the HTTP API.
 * @param url the deployment's address
 * @param bearer a token, credential or key; undefined for public routes
 * @throws WeirError with the problem's code, or `network` without an answer
 */
export async function callApi<T>(
  url: string,
  bearer: string | undefined,
  method: Method,
  path: string,
  body?: unknown,
  options: CallOptions = {},
): Promise<T> {
  const headers = new Headers();
  if (bearer !== undefined) headers.set("authorization", `Bearer ${bearer}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  const init: RequestInit = {
    method,
    headers,
    keepalive: options.keepalive ?? false,
    signal: AbortSignal.timeout(options.timeoutMs ?? 15_000),
  };
  if (body !== undefined) init.body = JSON.stringify(body);
  const response = await fetch(new URL(path, url), init).catch((error: unknown) => {
    throw new WeirError("network", "The server does not answer.", { cause: error });
  });
  if (!response.ok) throw await readProblem(response);
  if (response.status === 204) return undefined as T;
  return (await response.json().catch((error: unknown) => {
    throw asWeirError(error);
  })) as T;
}

/** The calls of one session, made with its credential. */
export class SessionApi {
  readonly #url: string;
  readonly #sessionId: string;
  /** The credential that is good at present. */
  credential: string;

  constructor(url: string, sessionId: string, sessionCredential: string) {
    this.#url = url;
    this.#sessionId = sessionId;
    this.credential = sessionCredential;
  }

  /** Exchanges the credential for a fresh one. */
  async renew(): Promise<z.infer<typeof credential>> {
    const path = `/v1/sessions/${this.#sessionId}/credential`;
    const renewed = await this.#call<z.infer<typeof credential>>("POST", path, {});
    this.credential = renewed.credential;
    return renewed;
  }

  leave(options: CallOptions = {}): Promise<void> {
    return this.#call("DELETE", `/v1/sessions/${this.#sessionId}`, undefined, options);
  }

  createBroadcast(
    body: z.input<typeof createBroadcast>,
  ): Promise<z.infer<typeof createdBroadcast>> {
    return this.#call("POST", `/v1/sessions/${this.#sessionId}/broadcasts`, body);
  }

  /** @throws WeirError why a camera or screen could not go live now */
  mayBroadcast(media: MediaClass): Promise<unknown> {
    return this.#call(
      "GET",
      `/v1/sessions/${this.#sessionId}/may-broadcast?media=${media}`,
    );
  }

  /** Makes what is pasted into an encoder. */
  async makeStreamKey(): Promise<StreamKey> {
    const path = `/v1/sessions/${this.#sessionId}/stream-keys`;
    const made = await this.#call<z.infer<typeof streamKey>>("POST", path, {});
    return { ...made, url: new URL(made.path, this.#url).href };
  }

  /** A new sending transport for a broadcast that goes on. */
  resumeBroadcast(
    broadcastId: string,
    body: z.input<typeof resumeBroadcast>,
  ): Promise<z.infer<typeof createdBroadcast>> {
    return this.#call("POST", `/v1/broadcasts/${broadcastId}/transport`, body);
  }

  /** Sends an existing track through its broadcast's new transport. */
  resumeTrack(
    broadcastId: string,
    trackId: string,
    body: z.input<typeof resumeTrack>,
  ): Promise<z.infer<typeof track>> {
    return this.#call("PUT", `/v1/broadcasts/${broadcastId}/tracks/${trackId}`, body);
  }

  stopBroadcast(broadcastId: string): Promise<void> {
    return this.#call("DELETE", `/v1/broadcasts/${broadcastId}`);
  }

  createTrack(
    broadcastId: string,
    body: z.input<typeof createTrack>,
  ): Promise<z.infer<typeof track>> {
    return this.#call("POST", `/v1/broadcasts/${broadcastId}/tracks`, body);
  }

  pauseTrack(broadcastId: string, trackId: string, paused: boolean): Promise<unknown> {
    const path = `/v1/broadcasts/${broadcastId}/tracks/${trackId}`;
    return this.#call("PATCH", path, { paused });
  }

  removeTrack(broadcastId: string, trackId: string): Promise<void> {
    return this.#call("DELETE", `/v1/broadcasts/${broadcastId}/tracks/${trackId}`);
  }

  createViews(body: z.input<typeof createViews>): Promise<Watched> {
    return this.#call("POST", `/v1/sessions/${this.#sessionId}/views`, body);
  }

  syncView(viewId: string, body: z.input<typeof syncView>): Promise<Watched> {
    return this.#call("POST", `/v1/views/${viewId}/tracks`, body);
  }

  patchViews(transportId: string, body: z.input<typeof patchViews>): Promise<unknown> {
    return this.#call("PATCH", `/v1/transports/${transportId}/views`, body);
  }

  stopView(viewId: string): Promise<void> {
    return this.#call("DELETE", `/v1/views/${viewId}`);
  }

  /** Nothing of a view arrives, though its connection stands: control looks into it. */
  reportLost(viewId: string): Promise<unknown> {
    return this.#call("POST", `/v1/views/${viewId}/lost`, {});
  }

  connectTransport(
    transportId: string,
    dtlsParameters: DtlsParametersWire,
  ): Promise<unknown> {
    const path = `/v1/transports/${transportId}/connect`;
    return this.#call("POST", path, { dtlsParameters });
  }

  restartIce(transportId: string): Promise<z.infer<typeof restartedIce>> {
    return this.#call("POST", `/v1/transports/${transportId}/restart-ice`, {});
  }

  resumeViews(transportId: string, views: string[]): Promise<unknown> {
    return this.#call("POST", `/v1/transports/${transportId}/resume`, { views });
  }

  #call<T>(method: Method, path: string, body?: unknown, options?: CallOptions) {
    return callApi<T>(this.#url, this.credential, method, path, body, options);
  }
}

/**
 * Enters a room.
 * @param token a join token for this room
 * @throws WeirError `room-full`, `room-closed`, `unauthenticated` and others
 */
export function enterRoom(url: string, roomId: string, token: string): Promise<Entry> {
  return callApi<Entry>(url, token, "POST", `/v1/rooms/${roomId}/sessions`, {});
}
