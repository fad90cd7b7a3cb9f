/** What a node's key signs to show that a registration is its own. */
export interface NodeProof {
  zone: string;
  nodeId: string;
  /** As control gave it: good once, and for a short time. */
  challenge: string;
}

/** The bytes that are signed: the words before keep them apart from all else. */
export function proofText({ zone, nodeId, challenge }: NodeProof): Uint8Array {
  const text = ["weir node registration", zone, nodeId, challenge].join("\n");
  return new TextEncoder().encode(text);
}
