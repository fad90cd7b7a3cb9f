import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { Icon } from "./icons.ts";

/** A room's link in a field of its own, with a button that copies it. */
export function CopyLink({ link }: { link: string }) {
  const { copied, copy } = useCopy(link);
  return html`<div class="field">
    <label for="room-link">Link to share</label>
    <div class="joined">
      <input
        id="room-link"
        data-testid="room-link"
        readonly
        value=${link}
        onFocus=${(event: Event) => (event.target as HTMLInputElement).select()}
      />
      <button type="button" onClick=${copy} aria-label="Copy the link">
        <${Icon} name=${copied ? "check" : "copy"} />
        <span aria-live="polite">${copied ? "Copied" : "Copy"}</span>
      </button>
    </div>
  </div>`;
}

/** Copies a text and says so for two seconds. */
export function useCopy(text: string): { copied: boolean; copy(): void } {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    const done = () => {
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    };
    // Without https there is no clipboard: the field stays there to copy from.
    navigator.clipboard?.writeText(text).then(done, () => {});
  };
  return { copied, copy };
}
