import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ChatMessage } from "#schema/channel.ts";
import type { Outgoing, Room } from "../sdk/index.ts";
import { Message, OutgoingMessage } from "./chat-message.ts";
import { Icon } from "./icons.ts";
import type { ChatView } from "./use-chat.ts";

interface Props {
  room: Room;
  identity: string;
  view: ChatView;
  act(action: () => Promise<unknown>): Promise<void>;
}

/** This close to its end the list follows what is new, in pixels. */
const followWithin = 40;
/** Messages of one person within this time stand under one name. */
const togetherMs = 180_000;

/** What was said, oldest first; it follows the newest unless one reads further up. */
export function ChatLog({ room, identity, view, act }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const [behind, setBehind] = useState(false);
  const { messages, outgoing } = room.chat;
  const { lastSeq } = room.chat;
  const lastOwn = outgoing.at(-1)?.clientId;

  const toEnd = () => {
    const element = list.current;
    if (element) element.scrollTop = element.scrollHeight;
  };
  const look = () => {
    const element = list.current;
    if (!element || !view.open) return;
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    following.current = left < followWithin;
    if (!following.current) return;
    setBehind(false);
    if (document.visibilityState === "visible") view.markRead();
  };
  const catchUp = () => {
    following.current = true;
    toEnd();
    look();
    list.current?.focus();
  };

  // One's own word is always brought into sight.
  useLayoutEffect(() => {
    if (lastOwn) following.current = true;
  }, [lastOwn]);

  useLayoutEffect(() => {
    if (following.current) toEnd();
    else setBehind(true);
    look();
  }, [lastSeq, lastOwn, view.open]);

  useEffect(() => {
    const element = list.current;
    if (!element) return;
    // The list shrinks when the field grows or a keyboard comes up.
    const resized = new ResizeObserver(() => following.current && toEnd());
    resized.observe(element);
    document.addEventListener("visibilitychange", look);
    return () => {
      resized.disconnect();
      document.removeEventListener("visibilitychange", look);
    };
  }, [view.open]);

  const mayDelete = (message: ChatMessage) =>
    message.identity === identity || room.moderation.allowed;
  const lastDeletable = messages.findLast(mayDelete)?.seq;
  return html`<div class="chat-body">
    <div
      class="chat-log"
      role="log"
      aria-live="polite"
      aria-label="Messages"
      tabindex="0"
      ref=${list}
      data-testid="chat-log"
      onScroll=${look}
      onKeyDown=${walk}
    >
      ${
        messages.length + outgoing.length === 0 &&
        html`<p class="chat-empty">Nothing was said yet. Say hello.</p>`
      }
      <ol>
        ${messages.map(
          (message, at) =>
            html`<${Message}
              key=${message.seq}
              message=${message}
              own=${message.identity === identity}
              follows=${isTogether(messages[at - 1], message)}
              tabbable=${message.seq === lastDeletable}
              onDelete=${
                mayDelete(message)
                  ? () => {
                      list.current?.focus();
                      void act(() => room.moderation.deleteMessage(message.seq));
                    }
                  : undefined
              }
            />`,
        )}
        ${outgoing.map(
          (message: Outgoing) =>
            html`<${OutgoingMessage} key=${message.clientId} message=${message} chat=${room.chat} />`,
        )}
      </ol>
    </div>
    ${
      behind &&
      html`<button type="button" class="chat-new" data-testid="chat-new" onClick=${catchUp}>
        <${Icon} name="down" /> New messages
      </button>`
    }
  </div>`;
}

function isTogether(before: ChatMessage | undefined, message: ChatMessage): boolean {
  if (before?.identity !== message.identity) return false;
  return message.atMs - before.atMs < togetherMs;
}

/** One Delete button is in the tab order; arrows go to those of other messages. */
function walk(event: KeyboardEvent): void {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const from = event.target as HTMLElement;
  if (!step || !from.matches("[data-delete]")) return;
  const log = event.currentTarget as HTMLElement;
  const buttons = [...log.querySelectorAll<HTMLElement>("[data-delete]")];
  const next = buttons[buttons.indexOf(from) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
