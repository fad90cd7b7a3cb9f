import type { Instruction } from "#schema/agent/instructions.ts";
import type { Media } from "../media/media.ts";
import { pipeKeyOf } from "./generations.ts";

/**
 * Applies one instruction. It may come late, doubled or out of order: what is
 * remembered decides, and what is closed already is closed again in vain.
 */
export function applyInstruction(media: Media, instruction: Instruction): void {
  const { generations } = media.context;
  switch (instruction.kind) {
    case "pipe": {
      const { generation, wanted } = instruction;
      const key = pipeKeyOf(instruction.broadcastId, instruction.consumer);
      if (wanted === "open") {
        generations.openPipe(key, generation);
        return;
      }
      generations.closePipe(key, generation);
      media.legs.closePipe(key, generation);
      media.piped.closePipe(key, generation);
      media.receiving.closeViewsOf(
        instruction.broadcastId,
        instruction.consumer,
        generation,
      );
      return;
    }
    case "track": {
      const { broadcastId, trackId, version, wanted } = instruction;
      if (!generations.setTrack(trackId, version, wanted)) return;
      media.sending.setTrack(broadcastId, trackId, wanted);
      media.piped.setTrack(broadcastId, trackId, wanted);
      return;
    }
    case "close-view":
      generations.close(instruction.viewId);
      media.receiving.closeView(instruction.viewId);
      return;
    case "close-broadcast":
      generations.close(instruction.broadcastId);
      media.closeBroadcast(instruction.broadcastId);
      return;
    case "close-transport":
      generations.close(instruction.transportId);
      media.transports.closeOne(instruction.transportId, instruction.sessionId);
      return;
    case "close-session":
      generations.close(instruction.sessionId);
      media.closeSession(instruction.sessionId);
      return;
  }
}
