import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { asWeirError, type WeirError } from "../sdk/index.ts";
import { Brand } from "./brand.ts";
import { CopyLink } from "./copy-link.ts";
import { type Deployment, inviteLink, linkToken, storedKey } from "./deployment.ts";
import { problemText } from "./problem-text.ts";

interface Props {
  deployment: Deployment;
  roomId: string;
  onEnter(identity: string): Promise<void>;
  onLobby(): void;
}

const nameKey = "weir.name";

/** The door of a room: its link, and one's name. */
export function EnterPage({ deployment, roomId, onEnter, onLobby }: Props) {
  const { open } = deployment;
  const [name, setName] = useState(() => localStorage.getItem(nameKey) ?? "");
  const [entering, setEntering] = useState(false);
  const [problem, setProblem] = useState<WeirError>();
  const [link, setLink] = useState(`${location.origin}/room/${roomId}`);
  // An invitation carries the name under which one enters.
  const invited = !open && linkToken(roomId) !== undefined;
  const shut = !open && !invited && !storedKey();

  useEffect(() => {
    inviteLink(open, roomId).then(setLink, () => {});
  }, [open, roomId]);

  const submit = async (event: Event) => {
    event.preventDefault();
    setEntering(true);
    setProblem(undefined);
    const identity = name.trim() || "Guest";
    localStorage.setItem(nameKey, name.trim());
    try {
      await onEnter(identity);
    } catch (error) {
      setProblem(asWeirError(error));
      setEntering(false);
    }
  };

  let said = "";
  if (problem) said = problemText(problem.code);
  else if (entering) said = "Connecting to the room…";
  else if (shut) said = "This room needs an invitation: ask for a link that carries one.";
  return html`<main class="door">
    <header class="door-head">
      <h1><${Brand} /></h1>
      <p class="lead">This room is open.</p>
    </header>
    <form class="card" onSubmit=${submit}>
      <h2>Enter</h2>
      ${!invited && html`<${CopyLink} link=${link} />`}
      ${
        !invited &&
        html`<label class="field">
          <span>Your name</span>
          <input
            data-testid="name-input"
            autocomplete="nickname"
            maxlength="40"
            required
            placeholder="What others see"
            value=${name}
            onInput=${(event: Event) => setName((event.target as HTMLInputElement).value)}
          />
        </label>`
      }
      <button class="primary wide" data-testid="enter" disabled=${entering || shut}>
        ${entering ? "Entering…" : "Enter the room"}
      </button>
      <p class="form-note" role="status" data-testid="status" data-code=${problem?.code}>
        ${said}
      </p>
    </form>
    <button class="plain" type="button" onClick=${onLobby}>Open another room</button>
  </main>`;
}
