import type { MediaKindWire } from "#schema/media.ts";
import type { MediaClass } from "#schema/settings.ts";
import { WeirError } from "./errors.ts";
import type { Link } from "./link.ts";
import { SentTracks } from "./sent-tracks.ts";

/** What a broadcast is made of, wherever it is sent. */
export interface SendSource {
  readonly media: MediaClass;
  readonly simulcast: boolean;
  /** What is to be sent; its tracks may change at any time. */
  readonly stream: MediaStream;
  isMuted(kind: MediaKindWire): boolean;
}

/**
 * Claims a place for a new broadcast.
 * @returns its tracks there, none of them sent yet
 * @throws WeirError why there is none
 */
export async function claimPlace(link: Link, source: SendSource): Promise<SentTracks> {
  // Asked first: it throws where the zone has no media host.
  void link.rtpCapabilities;
  const { dtlsParameters } = link.identification;
  const claim = { media: source.media, dtlsParameters };
  const created = await link.runOwn((api) => api.createBroadcast(claim));
  return sentTracks(link, source, created);
}

/**
 * Claims a new transport for a broadcast that goes on, and sends it there.
 * @param old its tracks on the transport before
 * @param isMoot asked after each step; what was begun is closed again where it is
 * @returns the tracks on their new transport, or undefined where that is moot
 * @throws WeirError why it cannot be sent
 */
export async function resumePlace(
  link: Link,
  source: SendSource,
  old: SentTracks,
  isMoot: () => boolean,
): Promise<SentTracks | undefined> {
  const { broadcastId, trackIds, topLayer } = old;
  const { dtlsParameters } = link.identification;
  const resumed = await link.run((api) =>
    api.resumeBroadcast(broadcastId, { dtlsParameters }),
  );
  if (isMoot()) return undefined;
  const sent = sentTracks(link, source, resumed, trackIds);
  try {
    await sendAll(sent, source);
    if (topLayer !== undefined) await sent.limitLayers(topLayer);
    if (!isMoot()) await sent.follow(tracksOf(source));
    if (sent.isGone) throw new WeirError("network", "The connection was lost.");
  } catch (error) {
    sent.close();
    throw error;
  }
  if (!isMoot()) return sent;
  sent.close();
  return undefined;
}

/** Sends all that a source has. @throws WeirError why the server does not take it */
export async function sendAll(sent: SentTracks, source: SendSource): Promise<void> {
  await Promise.all(tracksOf(source).map((track) => sent.add(track)));
}

function sentTracks(
  link: Link,
  source: SendSource,
  created: ConstructorParameters<typeof SentTracks>[1],
  trackIds?: ReadonlyMap<MediaKindWire, string>,
): SentTracks {
  const { media, simulcast } = source;
  const shape = { media, simulcast, codec: link.entry.room.codec };
  const isMuted = (kind: MediaKindWire) => source.isMuted(kind);
  return new SentTracks(link, created, shape, isMuted, trackIds);
}

/** The picture first: it takes longer to appear than sound does. */
function tracksOf({ stream }: SendSource): MediaStreamTrack[] {
  return [...stream.getVideoTracks(), ...stream.getAudioTracks()];
}
