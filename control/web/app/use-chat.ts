import { useEffect, useState } from "preact/hooks";
import type { Room } from "../sdk/index.ts";

const widePage = "(min-width: 901px)";

/** Whether the chat is shown, and how much of it was not read. */
export interface ChatView {
  open: boolean;
  unread: number;
  setOpen(open: boolean): void;
  /** The newest message was seen. */
  markRead(): void;
}

/**
 * Follows what was read of a room's chat; it is kept for this tab's life, so
 * that a reloaded page does not call everything new.
 * @param identity one's own name: what one said oneself is never unread
 * @param alwaysOpen where the chat is all there is
 */
export function useChat(room: Room, identity: string, alwaysOpen: boolean): ChatView {
  const storeName = `weir.read.${room.id}`;
  const [open, setOpen] = useState(() => matchMedia(widePage).matches);
  const [readSeq, setReadSeq] = useState(() =>
    Number(sessionStorage.getItem(storeName) ?? 0),
  );

  useEffect(() => {
    sessionStorage.setItem(storeName, String(readSeq));
  }, [storeName, readSeq]);

  const unread = room.chat.messages.filter(
    (message) => message.seq > readSeq && message.identity !== identity,
  ).length;
  return {
    open: open || alwaysOpen,
    unread,
    setOpen,
    markRead: () => setReadSeq(room.chat.lastSeq),
  };
}
