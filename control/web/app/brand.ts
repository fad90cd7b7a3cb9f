import { html } from "htm/preact";

/** The name with its sign: water that stands at a mark and runs over it. */
export function Brand() {
  return html`<span class="brand">
    <svg class="brand-sign" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path class="brand-wall" d="M4 11h11v10c0 3 3 3 5 3h8" />
      <path class="brand-water" d="M20 11c0 6 2 8 8 8" />
    </svg>
    Weir
  </span>`;
}
