import { html } from "htm/preact";

const shapes = {
  mic: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21",
  "mic-off":
    "M9 7V6a3 3 0 0 1 6 0v5M15 13.4A3 3 0 0 1 9 12v-1M5.5 11a6.5 6.5 0 0 0 10.6 5M18.3 13a6.5 6.5 0 0 0 .2-2M12 17.5V21M4 4l16 16",
  camera: "M3 7.5h11.5v9H3zM14.5 11 21 7.5v9L14.5 13",
  "camera-off": "M7 7.5h7.5v6M14.5 16.5H3v-9M14.5 11 21 7.5v9l-4-2M4 4l16 16",
  screen: "M3 5h18v11H3zM9 20h6M12 16v4",
  "screen-off": "M6.5 5H21v11h-3.5M14 16H3V5h.5M9 20h6M12 16v4M3 3l17 17",
  sliders: "M4 7h8M16 7h4M4 17h4M12 17h8M14 5v4M10 15v4",
  larger: "M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7",
  smaller: "M13 5v6h6M20 4l-7 7M11 19v-6H5M4 20l7-7",
  numbers: "M5 19v-6M12 19V5M19 19v-9",
  broadcast:
    "M12 12h.01M8.5 15.5a5 5 0 0 1 0-7M15.5 8.5a5 5 0 0 1 0 7M5.6 18.4a9 9 0 0 1 0-12.8M18.4 5.6a9 9 0 0 1 0 12.8",
  stop: "M6.5 6.5h11v11h-11z",
  leave: "M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  check: "M5 12.5l4.5 4.5L19 7.5",
  sound: "M4 9.5h4L13 5v14l-5-4.5H4zM16 9a4 4 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11",
  people:
    "M9 11a3.2 3.2 0 1 0 0-6.4A3.2 3.2 0 0 0 9 11ZM3 19a6 6 0 0 1 12 0M16 11a2.6 2.6 0 1 0 0-5.2M17 13.5a5 5 0 0 1 4 5",
  chat: "M4 5h16v11H10l-4.5 3.5V16H4zM8 9h8M8 12h5",
  close: "M6 6l12 12M18 6 6 18",
  more: "M5.5 12a.8.8 0 1 0 1.6 0 .8.8 0 1 0-1.6 0M11.2 12a.8.8 0 1 0 1.6 0 .8.8 0 1 0-1.6 0M16.9 12a.8.8 0 1 0 1.6 0 .8.8 0 1 0-1.6 0",
  send: "M4 12 20 4.5 15.5 20l-4-6zM11.5 14 20 4.5",
  bin: "M5 7h14M10 7V4.5h4V7M7 7l1 12.5h8L17 7M10.5 10.5v6M13.5 10.5v6",
  down: "M12 5v14M6 13l6 6 6-6",
  picture: "M3 5h18v14H3zM3 16l5-5 4 4 3-3 6 6M15.5 9.5h.01",
} as const;

/** A line drawing of 20 px; it says nothing to a screen reader. */
export function Icon({ name }: { name: keyof typeof shapes }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d=${shapes[name]} />
  </svg>`;
}
