import { html } from "htm/preact";
import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import { textMax } from "../sdk/index.ts";
import { Icon } from "./icons.ts";

interface Props {
  field: RefObject<HTMLTextAreaElement>;
  /** A moderator muted this person. */
  muted: boolean;
  onSend(text: string): void;
}

/** From here on the field says how many characters are left. */
const warnFrom = textMax - 200;

/** The field in which one writes: Enter sends, Shift and Enter begins a line. */
export function Composer({ field, muted, onSend }: Props) {
  const [text, setText] = useState("");
  const { length } = text.trim();
  const tooLong = length > textMax;

  const send = (event: Event) => {
    event.preventDefault();
    if (length === 0 || tooLong || muted) return;
    onSend(text);
    setText("");
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While characters are composed, Enter chooses among them.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  };

  return html`<form class="composer" onSubmit=${send}>
    <p class="composer-note" role="status" data-testid="chat-note" data-tone=${muted || tooLong ? "bad" : undefined}>
      ${noteText(muted, length)}
    </p>
    <label class="unseen" for="chat-field">Message to everyone in the room</label>
    <textarea
      id="chat-field"
      data-testid="chat-field"
      ref=${field}
      rows="1"
      placeholder=${muted ? "You are muted" : "Write a message"}
      autocomplete="off"
      enterkeyhint="send"
      disabled=${muted}
      aria-invalid=${tooLong}
      value=${text}
      onInput=${(event: Event) => setText((event.target as HTMLTextAreaElement).value)}
      onKeyDown=${onKeyDown}
    ></textarea>
    <button
      class="primary"
      data-testid="chat-send"
      aria-label="Send the message"
      disabled=${length === 0 || tooLong || muted}
    >
      <${Icon} name="send" />
    </button>
  </form>`;
}

function noteText(muted: boolean, length: number): string {
  if (muted) return "A moderator muted you: you can read, but not write.";
  const left = textMax - length;
  if (left < 0) return `Too long: take ${characters(-left)} away.`;
  return length > warnFrom ? `${characters(left)} left.` : "";
}

function characters(count: number): string {
  return count === 1 ? "1 character" : `${count.toLocaleString("en")} characters`;
}
