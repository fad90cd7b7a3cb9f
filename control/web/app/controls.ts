import { html } from "htm/preact";
import type { Publication, Room } from "../sdk/index.ts";
import { Icon } from "./icons.ts";

interface Props {
  room: Room;
  /** An action is under way. */
  busy: boolean;
  act(action: () => Promise<unknown>): Promise<void>;
  onLive(): void;
  onTest(): void;
}

/** The buttons of a room: going live and, once live, muting and stopping. */
export function Controls({ room, busy, act, onLive, onTest }: Props) {
  const own = [...room.publications];
  const camera = own.find(({ media }) => media === "camera");
  const screen = own.find(({ media }) => media === "screen");
  const screenButton = (shown: Publication | undefined) => {
    if (shown) {
      return html`<button
        data-testid="stop-screen"
        aria-label="Stop showing the screen"
        onClick=${() => act(() => shown.stop())}
      >
        <${Icon} name="stop" /> <span class="wide-only">Stop the screen</span>
      </button>`;
    }
    // Telephones cannot show their screen to a page.
    if (!navigator.mediaDevices?.getDisplayMedia) return null;
    return html`<button
      data-testid="share-screen"
      aria-label="Share your screen"
      disabled=${busy}
      onClick=${() => act(() => room.publishScreen())}
    >
      <${Icon} name="screen" /> <span class="wide-only">Share screen</span>
    </button>`;
  };
  return html`<div role="group" aria-label="Your camera and sound">
    ${
      camera
        ? html`<${LiveControls} publication=${camera} act=${act} />`
        : html`<button
              class="primary"
              data-testid="go-live"
              disabled=${busy}
              onClick=${onLive}
            >
              <${Icon} name="camera" /> Go live
            </button>
            <button
              data-testid="go-live-test"
              aria-label="Go live with a test picture"
              disabled=${busy}
              onClick=${onTest}
            >
              <${Icon} name="picture" /> <span class="wide-only">Test picture</span>
            </button>`
    }
    ${screenButton(screen)}
  </div>`;
}

function LiveControls({
  publication,
  act,
}: { publication: Publication } & Pick<Props, "act">) {
  const toggle = (kind: "audio" | "video") =>
    act(() =>
      publication.isMuted(kind) ? publication.unmute(kind) : publication.mute(kind),
    );
  const silent = publication.isMuted("audio");
  const dark = publication.isMuted("video");
  return html`<button
      data-testid="toggle-microphone"
      aria-pressed=${silent}
      aria-label=${silent ? "Unmute" : "Mute"}
      onClick=${() => toggle("audio")}
    >
      <${Icon} name=${silent ? "mic-off" : "mic"} />
      <span class="wide-only">${silent ? "Unmute" : "Mute"}</span>
    </button>
    <button
      data-testid="toggle-camera"
      aria-pressed=${dark}
      aria-label=${dark ? "Show picture" : "Hide picture"}
      onClick=${() => toggle("video")}
    >
      <${Icon} name=${dark ? "camera-off" : "camera"} />
      <span class="wide-only">${dark ? "Show picture" : "Hide picture"}</span>
    </button>
    <button
      class="danger"
      data-testid="stop-live"
      aria-label="Stop"
      onClick=${() => act(() => publication.stop())}
    >
      <${Icon} name="stop" /> <span class="wide-only">Stop</span>
    </button>`;
}
