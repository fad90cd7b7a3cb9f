import { html } from "htm/preact";
import type { Publication } from "../sdk/index.ts";
import { DeviceMenu } from "./device-menu.ts";
import { Icon } from "./icons.ts";

interface Props {
  publication: Publication;
  busy: boolean;
  act(action: () => Promise<unknown>): Promise<void>;
}

/** What one who is live can do: mute, hide, choose devices, stop. */
export function LiveControls({ publication, busy, act }: Props) {
  return html`<${SoundButton} publication=${publication} busy=${busy} act=${act} />
    <${PictureButton} publication=${publication} busy=${busy} act=${act} />
    <${DeviceMenu} publication=${publication} act=${act} />
    <button
      type="button"
      class="danger"
      data-testid="stop-live"
      aria-label="Stop being live"
      title="Stop being live"
      onClick=${() => act(() => publication.stop())}
    >
      <${Icon} name="stop" /> <span class="wide-only">Stop</span>
    </button>`;
}

function SoundButton({ publication, busy, act }: Props) {
  if (!publication.has("audio") || publication.isLost("audio")) {
    return html`<${AddButton}
      testid="add-microphone"
      icon="mic-off"
      label="Turn a microphone on"
      short="Microphone"
      busy=${busy}
      onClick=${() => act(() => publication.use("audio"))}
    />`;
  }
  const muted = publication.isMuted("audio");
  const label = muted ? "Unmute" : "Mute";
  return html`<button
    type="button"
    data-testid="toggle-microphone"
    aria-pressed=${muted}
    aria-label=${label}
    title=${label}
    onClick=${() => act(() => (muted ? publication.unmute("audio") : publication.mute("audio")))}
  >
    <${Icon} name=${muted ? "mic-off" : "mic"} /> <span class="wide-only">${label}</span>
  </button>`;
}

function PictureButton({ publication, busy, act }: Props) {
  if (!publication.has("video") || publication.isLost("video")) {
    return html`<${AddButton}
      testid="add-camera"
      icon="camera-off"
      label="Turn a camera on"
      short="Camera"
      busy=${busy}
      onClick=${() => act(() => publication.use("video"))}
    />`;
  }
  const hidden = publication.isMuted("video");
  const label = hidden ? "Show picture" : "Hide picture";
  return html`<button
    type="button"
    data-testid="toggle-camera"
    aria-pressed=${hidden}
    aria-label=${label}
    title=${label}
    onClick=${() => act(() => (hidden ? publication.unmute("video") : publication.mute("video")))}
  >
    <${Icon} name=${hidden ? "camera-off" : "camera"} /> <span class="wide-only">${label}</span>
  </button>`;
}

function AddButton(props: {
  testid: string;
  icon: "mic-off" | "camera-off";
  label: string;
  short: string;
  busy: boolean;
  onClick(): void;
}) {
  const { testid, icon, label, short, busy, onClick } = props;
  return html`<button
    type="button"
    data-testid=${testid}
    aria-label=${label}
    title=${label}
    disabled=${busy}
    onClick=${onClick}
  >
    <${Icon} name=${icon} /> <span class="wide-only">${short}</span>
  </button>`;
}
