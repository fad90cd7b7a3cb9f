import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import type { Room } from "../sdk/index.ts";
import { ChatLog } from "./chat-log.ts";
import { Composer } from "./composer.ts";
import { Icon } from "./icons.ts";
import type { ChatView } from "./use-chat.ts";

interface Props {
  room: Room;
  /** One's own name. */
  identity: string;
  view: ChatView;
  /** Where the chat is the whole page it cannot be closed. */
  closable: boolean;
  onClose(): void;
  /** Does what a button asks for, and shows the reason where it fails. */
  act(action: () => Promise<unknown>): Promise<void>;
}

/** The room's chat: what was said, and a field to say something. */
export function ChatPanel({ room, identity, view, closable, onClose, act }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const panel = useRef<HTMLElement>(null);
  const asked = useRef(view.open);

  // The focus goes along with whoever opens the chat, but on a touch screen not
  // into the field: a keyboard would come up over what one wants to read.
  useEffect(() => {
    if (view.open && !asked.current) {
      const touch = matchMedia("(pointer: coarse)").matches;
      const log = panel.current?.querySelector<HTMLElement>('[role="log"]');
      (touch ? log : field.current)?.focus();
    }
    asked.current = view.open;
  }, [view.open]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !closable) return;
    event.stopPropagation();
    onClose();
  };

  return html`<section
    class="chat"
    ref=${panel}
    aria-labelledby="chat-title"
    data-testid="chat"
    hidden=${!view.open}
    onKeyDown=${onKeyDown}
  >
    <header class="chat-head">
      <h2 id="chat-title">Chat</h2>
      ${
        closable &&
        html`<button type="button" class="bare" aria-label="Close the chat" onClick=${onClose}>
          <${Icon} name="close" />
        </button>`
      }
    </header>
    <${ChatLog} room=${room} identity=${identity} view=${view} act=${act} />
    <${Composer}
      field=${field}
      muted=${room.moderation.muted.has(identity)}
      onSend=${(text: string) => {
        // A refusal is shown beside the message itself.
        room.chat.say(text).catch(() => {});
      }}
    />
  </section>`;
}
