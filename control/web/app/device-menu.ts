import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import {
  type Devices,
  listDevices,
  onDevicesChanged,
  type Publication,
} from "../sdk/index.ts";
import { Icon } from "./icons.ts";

interface Props {
  publication: Publication;
  act(action: () => Promise<unknown>): Promise<void>;
}

/** Which camera and microphone are used, and a choice of others. */
export function DeviceMenu({ publication, act }: Props) {
  const [open, setOpen] = useState(false);
  const [devices, setDevices] = useState<Devices>();
  const wrapper = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    const look = () => void listDevices().then(setDevices);
    const elsewhere = (event: PointerEvent) => {
      if (!wrapper.current?.contains(event.target as Node)) setOpen(false);
    };
    look();
    const stop = onDevicesChanged(look);
    document.addEventListener("pointerdown", elsewhere);
    return () => {
      stop();
      document.removeEventListener("pointerdown", elsewhere);
    };
  }, [open]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation();
    setOpen(false);
    button.current?.focus();
  };

  return html`<div class="devices" ref=${wrapper} onKeyDown=${onKeyDown}>
    <button
      type="button"
      ref=${button}
      data-testid="devices-toggle"
      aria-expanded=${open}
      aria-controls="devices-menu"
      aria-label="Choose camera and microphone"
      title="Choose camera and microphone"
      onClick=${() => setOpen(!open)}
    >
      <${Icon} name="sliders" /> <span class="wide-only">Devices</span>
    </button>
    <div class="devices-menu" id="devices-menu" hidden=${!open}>
      <${Choice}
        title="Camera"
        testid="camera-select"
        devices=${devices?.cameras ?? []}
        track=${publication.track("video")}
        onChoose=${(id: string) => act(() => publication.use("video", id))}
        onNone=${
          publication.has("audio") && publication.has("video")
            ? () => act(() => publication.removeTrack("video"))
            : undefined
        }
      />
      <${Choice}
        title="Microphone"
        testid="microphone-select"
        devices=${devices?.microphones ?? []}
        track=${publication.track("audio")}
        onChoose=${(id: string) => act(() => publication.use("audio", id))}
        onNone=${
          publication.has("audio") && publication.has("video")
            ? () => act(() => publication.removeTrack("audio"))
            : undefined
        }
      />
    </div>
  </div>`;
}

function Choice(props: {
  title: string;
  testid: string;
  devices: Devices["cameras"];
  track: MediaStreamTrack | undefined;
  onChoose(id: string): void;
  onNone: (() => void) | undefined;
}) {
  const { title, testid, devices, track, onChoose, onNone } = props;
  const current = track?.getSettings().deviceId ?? "";
  const known = devices.some(({ id }) => id === current);
  const choose = (event: Event) => {
    const { value } = event.target as HTMLSelectElement;
    if (value === "") onNone?.();
    else onChoose(value);
  };
  return html`<label class="field">
    <span>${title}</span>
    <select data-testid=${testid} value=${known ? current : track ? "other" : ""} onChange=${choose}>
      ${(onNone || !track) && html`<option value="">None</option>`}
      ${track && !known && html`<option value="other" disabled>Another source</option>`}
      ${devices.map(
        ({ id, label }, index) =>
          html`<option key=${id} value=${id}>${label || `${title} ${index + 1}`}</option>`,
      )}
    </select>
  </label>`;
}
