import { html } from "htm/preact";
import { useRef, useState } from "preact/hooks";
import type { Room, StreamKey } from "../sdk/index.ts";
import { useCopy } from "./copy-link.ts";
import { Icon } from "./icons.ts";

interface Props {
  room: Room;
  act(action: () => Promise<unknown>): Promise<void>;
}

/** What to paste into OBS or another encoder that speaks WHIP, to stream from it. */
export function EncoderMenu({ room, act }: Props) {
  const [made, setMade] = useState<StreamKey>();
  const [shown, setShown] = useState(false);
  const button = useRef<HTMLButtonElement>(null);

  const toggle = () => {
    if (shown) return setShown(false);
    return act(async () => {
      setMade(await room.makeStreamKey());
      setShown(true);
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !shown) return;
    event.stopPropagation();
    setShown(false);
    button.current?.focus();
  };

  return html`<div class="devices" onKeyDown=${onKeyDown}>
    <button
      type="button"
      ref=${button}
      data-testid="encoder-toggle"
      aria-expanded=${shown}
      aria-controls="encoder-menu"
      aria-label="Stream from OBS"
      title="Stream from OBS or another encoder"
      onClick=${toggle}
    >
      <${Icon} name="broadcast" /> <span class="wide-only">OBS</span>
    </button>
    <div class="devices-menu encoder-menu" id="encoder-menu" data-testid="encoder-menu" hidden=${!shown}>
      ${made && html`<${Sheet} made=${made} />`}
    </div>
  </div>`;
}

function Sheet({ made }: { made: StreamKey }) {
  const { url, key, maxKbps, expiresAt } = made;
  const until = new Date(expiresAt).toLocaleString([], {
    dateStyle: "medium",
    timeStyle: "short",
  });
  return html`<h2>Stream from OBS</h2>
    <p>In OBS: Settings, Stream, service <b>WHIP</b>. Then paste these two.</p>
    <${Field} label="Server" testid="encoder-url" text=${url} />
    <${Field} label="Bearer token" testid="encoder-key" text=${key} secret=${true} />
    <p class="fine">
      Set Output to at most ${maxKbps.camera} kbit/s for video and sound together,
      with B-frames off. To stream as a screen, at up to ${maxKbps.screen} kbit/s, add
      <code>?media=screen</code> to the server. The token publishes under your name
      here until ${until}: treat it as a password.
    </p>`;
}

function Field(props: { label: string; testid: string; text: string; secret?: boolean }) {
  const { label, testid, text, secret } = props;
  const { copied, copy } = useCopy(text);
  return html`<label class="field">
    <span>${label}</span>
    <span class="joined">
      <input
        data-testid=${testid}
        readonly
        type=${secret ? "password" : "text"}
        autocomplete="off"
        value=${text}
        onFocus=${(event: Event) => (event.target as HTMLInputElement).select()}
      />
      <button type="button" onClick=${copy} aria-label=${`Copy: ${label}`}>
        <${Icon} name=${copied ? "check" : "copy"} />
      </button>
    </span>
  </label>`;
}
