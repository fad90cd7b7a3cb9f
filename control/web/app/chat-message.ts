import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import type { ChatMessage } from "#schema/channel.ts";
import type { Chat, Outgoing, WeirError } from "../sdk/index.ts";
import { Icon } from "./icons.ts";

interface MessageProps {
  message: ChatMessage;
  /** One said it oneself. */
  own: boolean;
  /** It stands under the name of the message before. */
  follows: boolean;
  /** Its Delete button is the one in the tab order. */
  tabbable: boolean;
  /** Absent where one may not. */
  onDelete?: () => void;
}

/** One message of the chat. */
export function Message({ message, own, follows, tabbable, onDelete }: MessageProps) {
  const { identity, text, atMs } = message;
  const at = new Date(atMs);
  return html`<li class="said" data-own=${own} data-testid="message" data-seq=${message.seq}>
    <p class="said-head" data-repeated=${follows}>
      <span class="said-name">${identity}${own ? " (you)" : ""}</span>
      <time dateTime=${at.toISOString()} title=${at.toLocaleString()}>${timeText(at)}</time>
    </p>
    <p class="said-text" dir="auto">${text}</p>
    ${
      onDelete &&
      html`<button
        type="button"
        class="bare said-delete"
        data-delete
        tabindex=${tabbable ? 0 : -1}
        aria-label=${`Delete “${shortened(text)}” by ${own ? "you" : identity}`}
        title="Delete"
        onClick=${onDelete}
      >
        <${Icon} name="bin" />
      </button>`
    }
  </li>`;
}

/** Something one said that is on its way, or was not taken. */
export function OutgoingMessage({ message, chat }: { message: Outgoing; chat: Chat }) {
  const { clientId, error } = message;
  const waitS = useCountdown(error);
  return html`<li class="said" data-own="true" data-testid="outgoing" data-state=${message.state}>
    <p class="said-text" dir="auto">${message.text}</p>
    ${
      error
        ? html`<div class="said-state" data-tone="bad">
            <p>Not sent: ${reasonText(error)}.</p>
            <p class="said-choices" aria-live="off">
              <button
                type="button"
                class="plain"
                disabled=${waitS > 0}
                onClick=${() => chat.retry(clientId).catch(() => {})}
              >
                ${waitS > 0 ? `Try again in ${waitS} s` : "Try again"}
              </button>
              <button type="button" class="plain" onClick=${() => chat.discard(clientId)}>
                Remove
              </button>
            </p>
          </div>`
        : html`<p class="said-state">Sending…</p>`
    }
  </li>`;
}

/** Full seconds until it makes sense to try again. */
function useCountdown(error: WeirError | undefined): number {
  const [leftS, setLeftS] = useState(0);
  useEffect(() => {
    const untilMs = performance.now() + (error?.retryAfterMs ?? 0);
    const count = () => {
      const left = Math.ceil((untilMs - performance.now()) / 1000);
      setLeftS(Math.max(0, left));
      if (left <= 0) clearInterval(timer);
    };
    const timer = setInterval(count, 250);
    count();
    return () => clearInterval(timer);
  }, [error]);
  return leftS;
}

function reasonText(error: WeirError): string {
  if (error.code === "rate-limited") return "slow down a little";
  if (error.code === "forbidden") return "a moderator muted you";
  return "the room does not take it";
}

function timeText(at: Date): string {
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.toLocaleDateString([], { day: "numeric", month: "short" })}, ${time}`;
}

function shortened(text: string): string {
  const letters = [...text];
  return letters.length <= 40 ? text : `${letters.slice(0, 39).join("")}…`;
}
