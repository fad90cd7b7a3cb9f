import { html } from "htm/preact";
import type { Publication, Room } from "../sdk/index.ts";
import { EncoderMenu } from "./encoder-menu.ts";
import { Icon } from "./icons.ts";
import { LiveControls } from "./live-controls.ts";

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
  return html`<div role="group" aria-label="Your camera and sound">
    ${
      camera
        ? html`<${LiveControls} publication=${camera} busy=${busy} act=${act} />`
        : html`<button
              type="button"
              class="primary"
              data-testid="go-live"
              disabled=${busy}
              onClick=${onLive}
            >
              <${Icon} name="camera" /> Go live
            </button>
            <button
              type="button"
              data-testid="go-live-sound"
              aria-label="Go live with the microphone alone"
              title="Go live with the microphone alone"
              disabled=${busy}
              onClick=${() => act(() => room.publishCamera({ camera: false }))}
            >
              <${Icon} name="mic" /> <span class="wide-only">Sound only</span>
            </button>
            <button
              type="button"
              data-testid="go-live-test"
              aria-label="Go live with a test picture"
              title="Go live with a test picture"
              disabled=${busy}
              onClick=${onTest}
            >
              <${Icon} name="picture" /> <span class="wide-only">Test picture</span>
            </button>`
    }
    <${ScreenButton} room=${room} shown=${screen} busy=${busy} act=${act} />
    <${EncoderMenu} room=${room} act=${act} />
  </div>`;
}

function ScreenButton({
  room,
  shown,
  busy,
  act,
}: Pick<Props, "room" | "busy" | "act"> & { shown: Publication | undefined }) {
  if (shown) {
    return html`<button
      type="button"
      data-testid="stop-screen"
      aria-label="Stop showing the screen"
      title="Stop showing the screen"
      onClick=${() => act(() => shown.stop())}
    >
      <${Icon} name="screen-off" /> <span class="wide-only">Stop the screen</span>
    </button>`;
  }
  // Telephones cannot show their screen to a page.
  if (!navigator.mediaDevices?.getDisplayMedia) return null;
  return html`<button
    type="button"
    data-testid="share-screen"
    aria-label="Share your screen"
    title="Share your screen"
    disabled=${busy}
    onClick=${() => act(() => room.publishScreen())}
  >
    <${Icon} name="screen" /> <span class="wide-only">Share screen</span>
  </button>`;
}
