import { html } from "htm/preact";
import type { Room } from "../sdk/index.ts";
import { Brand } from "./brand.ts";
import { useCopy } from "./copy-link.ts";
import { Icon } from "./icons.ts";
import { People } from "./people-list.ts";

interface Props {
  room: Room;
  act(action: () => Promise<unknown>): Promise<void>;
  onLeave(): void;
}

/** The room's name, who is there, its link, and the way out. */
export function RoomHead({ room, act, onLeave }: Props) {
  const { copied, copy } = useCopy(`${location.origin}/room/${room.id}`);
  const { info } = room;
  return html`<header class="room-head">
    <h1><${Brand} /></h1>
    <p class="room-name">
      ${info?.name || "Room"} <span class="tag">tier ${info?.tier ?? 0}</span>
      ${room.moderation.allowed && html`${" "}<span class="tag wide-only">moderator</span>`}
    </p>
    <${People} room=${room} act=${act} />
    <button type="button" onClick=${copy} aria-label="Copy the room's link">
      <${Icon} name=${copied ? "check" : "copy"} />
      <span class="wide-only">${copied ? "Copied" : "Invite"}</span>
    </button>
    <button type="button" class="danger" data-testid="leave" aria-label="Leave the room" onClick=${onLeave}>
      <${Icon} name="leave" /> <span class="wide-only">Leave</span>
    </button>
  </header>`;
}
