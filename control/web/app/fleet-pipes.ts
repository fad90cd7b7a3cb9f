import { html } from "htm/preact";
import type { PipeInfo } from "#schema/api/fleet.ts";

interface Props {
  pipes: PipeInfo[];
  labelOf(workerId: string): string;
  /** The broadcaster's name, where the broadcast is of this room. */
  nameOf(broadcastId: string): string | undefined;
}

/** The pipes, gathered by the two workers that they join. */
export function PipeList({ pipes, labelOf, nameOf }: Props) {
  if (pipes.length === 0) {
    return html`<p class="quiet">None: nothing is watched from another worker.</p>`;
  }
  const pairs = new Map<string, PipeInfo[]>();
  for (const pipe of pipes) {
    const key = `${pipe.producerWorkerId} ${pipe.consumerWorkerId}`;
    pairs.set(key, [...(pairs.get(key) ?? []), pipe]);
  }
  return html`<ul class="pairs">
    ${[...pairs].map(
      ([key, joined]) =>
        html`<${Pair} key=${key} pipes=${joined} ...${{ labelOf, nameOf }} />`,
    )}
  </ul>`;
}

function Pair({ pipes, labelOf, nameOf }: Props) {
  const [first] = pipes;
  if (!first) return null;
  const from = labelOf(first.producerWorkerId);
  const to = labelOf(first.consumerWorkerId);
  const count = pipes.length === 1 ? "1 broadcast" : `${pipes.length} broadcasts`;
  return html`<li class="pair">
    <p class="pair-head">
      <span>${from}</span>
      <svg class="arrow" viewBox="0 0 40 12" role="img" aria-label="to">
        <path d="M1 6h36M32 1.5 37.5 6 32 10.5" />
      </svg>
      <span>${to}</span>
      <span class="pair-count">${count}</span>
    </p>
    <ul class="pipes">
      ${pipes.map(
        (pipe) => html`<li
          key=${pipe.broadcastId}
          class="pipe"
          data-testid="pipe"
          data-broadcast-id=${pipe.broadcastId}
          data-producer-worker-id=${pipe.producerWorkerId}
          data-consumer-worker-id=${pipe.consumerWorkerId}
          data-state=${pipe.state}
          title=${pipe.broadcastId}
        >
          ${nameOf(pipe.broadcastId) ?? "another room"}
          <span class="pipe-state">${pipe.state}</span>
        </li>`,
      )}
    </ul>
  </li>`;
}
