import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import type { BroadcastInfo } from "#schema/channel.ts";
import type { Publication, View } from "../sdk/index.ts";
import { Icon } from "./icons.ts";
import { problemText } from "./problem-text.ts";

interface RemoteProps {
  broadcast: BroadcastInfo;
  view: View | undefined;
  /** Whether its microphone is the loudest of the room. */
  speaks: boolean;
  /** Sound waits for a gesture. */
  muted: boolean;
  /** The browser plays sound only after a gesture. */
  onSoundBlocked(): void;
}

/** Someone else's picture. */
export function RemoteTile(props: RemoteProps) {
  const { broadcast, view, speaks, muted, onSoundBlocked } = props;
  const ref = useRef<HTMLVideoElement>(null);

  useEffect(() => {
    const video = ref.current;
    return video && view ? view.attach(video) : undefined;
  }, [view]);

  useEffect(() => {
    const video = ref.current;
    if (!video) return;
    video.muted = muted;
    video.play().catch((error: unknown) => {
      if (!(error instanceof Error) || error.name !== "NotAllowedError") return;
      // A silent picture is always allowed, and better than none.
      video.muted = true;
      video.play().catch(() => {});
      onSoundBlocked();
    });
  }, [view, view?.state, muted]);

  const off = (source: string) =>
    broadcast.tracks.some((track) => track.source === source && track.paused);
  const dark = off("camera") || off("screen");
  const cover = coverText(view, dark);
  return html`<li
    class="tile"
    data-testid="tile"
    data-broadcast-id=${broadcast.id}
    data-view-state=${view?.state ?? "none"}
    data-media=${broadcast.media}
    data-speaks=${speaks}
  >
    <video ref=${ref} autoplay playsinline aria-label=${`Picture of ${broadcast.identity}`} />
    ${cover && html`<p class="cover"><${Initial} of=${broadcast.identity} />${cover}</p>`}
    <${Caption}
      name=${broadcast.identity}
      note=${broadcast.media === "screen" ? "screen" : ""}
      silent=${off("microphone")}
    />
  </li>`;
}

/** One's own picture, as it is being sent. */
export function SelfTile({
  publication,
  name,
}: {
  publication: Publication;
  name: string;
}) {
  const ref = useRef<HTMLVideoElement>(null);

  useEffect(() => {
    const video = ref.current;
    if (!video) return;
    // Always silent: nobody wants to hear oneself.
    video.muted = true;
    video.srcObject = publication.stream;
    video.play().catch(() => {});
  }, [publication]);

  const dark = publication.isMuted("video");
  // A camera is shown as in a mirror; a drawn picture or a screen as it is.
  const [track] = publication.stream.getVideoTracks();
  const drawn = track instanceof CanvasCaptureMediaStreamTrack;
  const mirrored = publication.media === "camera" && !drawn;
  return html`<li
    class="tile own"
    data-testid=${publication.media === "camera" ? "self-tile" : "self-screen"}
    data-broadcast-id=${publication.broadcastId}
    data-state=${publication.state}
    data-mirrored=${mirrored}
  >
    <video ref=${ref} autoplay playsinline muted aria-label="Your own picture" />
    ${dark && html`<p class="cover"><${Initial} of=${name} />Your picture is hidden</p>`}
    <${Caption} name=${name} note=${publication.state === "live" ? "you, live" : "you"} silent=${publication.isMuted("audio")} />
  </li>`;
}

function Caption({
  name,
  note,
  silent,
}: {
  name: string;
  note: string;
  silent: boolean;
}) {
  return html`<p class="caption">
    ${silent && html`<${Icon} name="mic-off" /><span class="unseen">Muted: </span>`}
    <span class="caption-name">${name}</span>
    ${note && html`<span class="caption-note">${note}</span>`}
  </p>`;
}

function Initial({ of }: { of: string }) {
  const letter = [...of.trim()][0]?.toUpperCase() ?? "?";
  return html`<span class="initial" aria-hidden="true">${letter}</span>`;
}

function coverText(view: View | undefined, dark: boolean): string {
  if (!view) return "Not watched";
  if (view.state === "refused" || view.state === "lost") {
    return view.error ? problemText(view.error.code) : "The picture is coming back…";
  }
  if (dark) return "The picture is hidden";
  if (view.state === "requested" || view.firstFrameAtMs === undefined)
    return "Connecting…";
  return "";
}
