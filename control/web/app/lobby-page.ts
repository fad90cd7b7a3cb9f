import { html } from "htm/preact";
import { useState } from "preact/hooks";
import type { VideoCodec } from "#schema/media.ts";
import { asWeirError, type WeirError } from "../sdk/index.ts";
import { Brand } from "./brand.ts";
import { CodecField } from "./codec-field.ts";
import {
  type Deployment,
  openRoom,
  storedKey,
  storeKey,
  type Tier,
} from "./deployment.ts";
import { FleetPanel } from "./fleet-panel.ts";
import { problemText } from "./problem-text.ts";

interface Props {
  deployment: Deployment;
  onOpened(roomId: string): void;
}

/** Where a room is opened. */
export function LobbyPage({ deployment, onOpened }: Props) {
  const { open, tiers } = deployment;
  const [tier, setTier] = useState(
    () => tiers.find(({ broadcasts }) => broadcasts)?.tier ?? 0,
  );
  const [codec, setCodec] = useState<VideoCodec>("vp8");
  const [key, setKey] = useState(storedKey);
  const [opening, setOpening] = useState(false);
  const [problem, setProblem] = useState<WeirError>();
  const chosen = tiers.find((one) => one.tier === tier);

  const submit = async (event: Event) => {
    event.preventDefault();
    setOpening(true);
    setProblem(undefined);
    if (!open) storeKey(key.trim());
    try {
      const room = await openRoom(open, { tier, codec });
      onOpened(room.id);
    } catch (error) {
      setProblem(asWeirError(error));
      setOpening(false);
    }
  };

  return html`<main class="door">
    <header class="door-head">
      <h1><${Brand} /></h1>
      <p class="lead">Video rooms for many people, on hosts of your own.</p>
    </header>
    <form class="card" onSubmit=${submit}>
      <h2>Open a room</h2>
      ${!open && html`<${KeyField} value=${key} onInput=${setKey} />`}
      <label class="field">
        <span>Size</span>
        <select
          data-testid="tier-select"
          value=${String(tier)}
          onChange=${(event: Event) => setTier(Number((event.target as HTMLSelectElement).value))}
        >
          ${tiers.map(
            (one) => html`<option value=${String(one.tier)}>${optionText(one)}</option>`,
          )}
        </select>
      </label>
      ${chosen && html`<${TierMeaning} tier=${chosen} />`}
      ${chosen?.broadcasts !== 0 && html`<${CodecField} codec=${codec} onChoose=${setCodec} />`}
      <button class="primary wide" data-testid="open-room" disabled=${opening}>
        ${opening ? "Opening…" : "Open the room"}
      </button>
      <p class="form-note" role="status" data-testid="status">
        ${problem ? problemText(problem.code) : ""}
      </p>
    </form>
    ${open && html`<${FleetPanel} />`}
  </main>`;
}

function KeyField({ value, onInput }: { value: string; onInput(key: string): void }) {
  return html`<label class="field">
    <span>API key</span>
    <input
      type="password"
      autocomplete="off"
      required
      data-testid="api-key"
      value=${value}
      onInput=${(event: Event) => onInput((event.target as HTMLInputElement).value)}
    />
    <small>Kept in this tab only, and forgotten when it is closed.</small>
  </label>`;
}

function TierMeaning({ tier }: { tier: Tier }) {
  const { broadcasts, viewers } = tier;
  // Everyone sees every picture but their own.
  const pictures = broadcasts * (viewers - 1);
  return html`<dl class="facts">
    <div><dt>on camera</dt><dd>${broadcasts}</dd></div>
    <div><dt>in the room</dt><dd>${viewers}</dd></div>
    <div><dt>pictures shown</dt><dd>${pictures.toLocaleString("en")}</dd></div>
  </dl>`;
}

function optionText({ tier, broadcasts, viewers }: Tier): string {
  if (broadcasts === 0) return `Tier ${tier}: ${viewers} people, chat only`;
  return `Tier ${tier}: ${broadcasts} on camera, ${viewers} people`;
}
