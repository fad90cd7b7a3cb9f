import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import type { MediaStats, Publication } from "../sdk/index.ts";
import { TileNumbers } from "./tile-numbers.ts";
import { Caption, Initial } from "./tile-parts.ts";

/** One's own picture, as it is being sent. */
export function SelfTile({
  publication,
  name,
  stats,
}: {
  publication: Publication;
  name: string;
  stats: MediaStats | undefined;
}) {
  const ref = useRef<HTMLVideoElement>(null);
  const track = publication.track("video");

  useEffect(() => {
    const video = ref.current;
    if (!video) return;
    // Always silent: nobody wants to hear oneself.
    video.muted = true;
    video.srcObject = publication.stream;
    video.play().catch(() => {});
  }, [publication, track]);

  // A camera is shown as in a mirror; a drawn picture or a screen as it is.
  const drawn = track instanceof CanvasCaptureMediaStreamTrack;
  const mirrored = publication.media === "camera" && !drawn;
  const cover = coverText(publication);
  const isAway = publication.state === "interrupted" || publication.state === "failed";
  return html`<li
    class="tile own"
    data-testid=${publication.media === "camera" ? "self-tile" : "self-screen"}
    data-broadcast-id=${publication.broadcastId}
    data-state=${publication.state}
    data-media=${publication.media}
    data-mirrored=${mirrored}
  >
    <video ref=${ref} autoplay playsinline muted aria-label="Your own picture" />
    ${cover && html`<p class="cover"><${Initial} of=${name} />${cover}</p>`}
    <${TileNumbers} stats=${stats} />
    ${
      isAway &&
      html`<p class="veil" data-testid="veil">
        ${
          publication.state === "failed"
            ? "Your broadcast ended: others do not see you."
            : "Others do not see you at present. Your broadcast is coming back."
        }
      </p>`
    }
    <${Caption}
      name=${name}
      note=${publication.state === "live" ? "you, live" : "you"}
      silent=${publication.media === "camera" && (publication.isMuted("audio") || !publication.has("audio"))}
    />
  </li>`;
}

function coverText(publication: Publication): string {
  if (publication.media === "screen") return "You are showing your screen";
  if (!publication.has("video")) return "Your camera is off";
  if (publication.isLost("video")) return "Your camera was unplugged";
  return publication.isMuted("video") ? "Your picture is hidden" : "";
}
