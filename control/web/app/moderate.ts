import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ModerationAction, Room } from "../sdk/index.ts";
import { Icon } from "./icons.ts";

interface Props {
  room: Room;
  identity: string;
  act(action: () => Promise<unknown>): Promise<void>;
}

type Shown = "nothing" | "choices" | "ban";

/** What a moderator may do about one person; a ban is asked for twice. */
export function Moderate({ room, identity, act }: Props) {
  const [shown, setShown] = useState<Shown>("nothing");
  const more = useRef<HTMLButtonElement>(null);
  const isMuted = room.moderation.muted.has(identity);

  const moderate = (action: ModerationAction) => {
    setShown("nothing");
    more.current?.focus();
    void act(() => room.moderation.moderate(action, identity));
  };
  const choice = (action: ModerationAction, text: string, danger = false) =>
    html`<button
      type="button"
      class=${danger ? "danger" : ""}
      data-testid=${`moderate-${action}`}
      onClick=${() => moderate(action)}
    >
      ${text}
    </button>`;

  return html`<button
      type="button"
      class="bare"
      ref=${more}
      data-testid="moderate"
      aria-expanded=${shown !== "nothing"}
      aria-label=${`Moderate ${identity}`}
      onClick=${() => setShown(shown === "nothing" ? "choices" : "nothing")}
    >
      <${Icon} name="more" />
    </button>
    ${
      shown === "choices" &&
      html`<div class="choices" role="group" aria-label=${`Moderate ${identity}`}>
        ${isMuted ? choice("unmute", "Unmute in chat") : choice("mute", "Mute in chat")}
        ${choice("kick", "Send out")}
        <button
          type="button"
          class="danger"
          data-testid="moderate-ban"
          onClick=${() => setShown("ban")}
        >
          Ban…
        </button>
      </div>`
    }
    ${
      shown === "ban" &&
      html`<${BanQuestion}
        identity=${identity}
        onYes=${() => moderate("ban")}
        onNo=${() => setShown("choices")}
      />`
    }`;
}

function BanQuestion({
  identity,
  onYes,
  onNo,
}: {
  identity: string;
  onYes(): void;
  onNo(): void;
}) {
  const yes = useRef<HTMLButtonElement>(null);
  // The button that asked for this is gone: the focus must not be lost with it.
  useEffect(() => yes.current?.focus(), []);
  return html`<div class="choices" role="group" aria-label=${`Ban ${identity}?`}>
    <p>Ban ${identity}? They are sent out and cannot come back.</p>
    <button
      type="button"
      class="danger"
      data-testid="moderate-ban-yes"
      ref=${yes}
      onClick=${onYes}
    >
      Ban ${identity}
    </button>
    <button type="button" onClick=${onNo}>Cancel</button>
  </div>`;
}
