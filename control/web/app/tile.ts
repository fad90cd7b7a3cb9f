import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import type { BroadcastInfo } from "#schema/events.ts";
import type { MediaStats, View } from "../sdk/index.ts";
import { coverText, veilText } from "./cover-text.ts";
import { Icon } from "./icons.ts";
import { TileNumbers } from "./tile-numbers.ts";
import { Caption, Initial } from "./tile-parts.ts";

interface RemoteProps {
  broadcast: BroadcastInfo;
  view: View | undefined;
  /** Whether its microphone is the loudest of the room. */
  speaks: boolean;
  /** Sound waits for a gesture. */
  muted: boolean;
  /** It takes most of the place. */
  isLarge: boolean;
  /** Shown over the picture where they are asked for. */
  stats: MediaStats | undefined;
  onLarge(on: boolean): void;
  /** The browser plays sound only after a gesture. */
  onSoundBlocked(): void;
}

/** Someone else's picture. */
export function RemoteTile(props: RemoteProps) {
  const { broadcast, view, speaks, muted, isLarge, onLarge, onSoundBlocked, stats } =
    props;
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

  const { identity, media } = broadcast;
  const isScreen = media === "screen";
  const cover = coverText(broadcast, view);
  const veil = !cover && view ? veilText(broadcast, view) : "";
  const name = isScreen ? `Screen of ${identity}` : identity;
  const sizeLabel = isLarge ? `Show ${name} smaller` : `Show ${name} large`;
  return html`<li
    class="tile"
    data-testid="tile"
    data-broadcast-id=${broadcast.id}
    data-view-state=${view?.state ?? "none"}
    data-media=${media}
    data-speaks=${speaks}
    data-large=${isLarge}
  >
    <video ref=${ref} autoplay playsinline aria-label=${isScreen ? name : `Picture of ${identity}`} />
    ${cover && html`<p class="cover"><${Initial} of=${identity} /><span class="cover-text">${cover}</span></p>`}
    ${veil && html`<p class="veil" data-testid="veil">${veil}</p>`}
    <${TileNumbers} stats=${stats} />
    <button
      type="button"
      class="tile-size"
      data-testid="tile-size"
      aria-label=${sizeLabel}
      title=${sizeLabel}
      onClick=${() => onLarge(!isLarge)}
    >
      <${Icon} name=${isLarge ? "smaller" : "larger"} />
    </button>
    <${Caption} name=${identity} note=${isScreen ? "screen" : ""} silent=${!isScreen && isSilent(broadcast)} />
  </li>`;
}

/** Whether nothing is to be heard: the microphone is muted, or there is none. */
function isSilent({ tracks }: BroadcastInfo): boolean {
  const microphone = tracks.find(({ source }) => source === "microphone");
  return microphone === undefined || microphone.paused;
}
