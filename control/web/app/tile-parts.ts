import { html } from "htm/preact";
import { Icon } from "./icons.ts";

/** Whose picture it is, in its corner. */
export function Caption({
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

/** A name's first letter, in place of a picture. */
export function Initial({ of }: { of: string }) {
  const letter = [...of.trim()][0]?.toUpperCase() ?? "?";
  return html`<span class="initial" aria-hidden="true">${letter}</span>`;
}
