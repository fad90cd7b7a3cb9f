import type { Watched } from "#schema/api/media.ts";
import { zoneOf } from "#schema/ids.ts";
import type { SessionPrincipal } from "../auth/tokens.ts";
import type { ClaimedView, ClaimedViews } from "../broker/decide/views.ts";
import { configOf, type Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { ask } from "./ask.ts";
import type { ServerTiming } from "./server-timing.ts";
import { tellBrought } from "./tell-session.ts";
import { type Bringing, type Brought, callWatch, type Viewer } from "./watch-calls.ts";

/** What a request for views brings along besides its content. */
export interface Asking {
  /** Runs work that nobody waits for. */
  later: (work: Promise<unknown>) => void;
  /** Notes `claim` (the commit), and of the calls `legs` and `watch`. */
  timing: ServerTiming;
}

/**
 * What becomes of a view that its host does not bring: it is placed once more, or
 * its seat goes back, or it stays as it was.
 */
type Failed = "replace" | "release" | "keep";
type Context = Bringing & { failed: Failed };

/**
 * Claims seats for broadcasts and brings their media: one call where the pipe
 * is open, two hops where it is not. What fails is brought from another host, once,
 * or gives its seat back.
 */
export async function watch(
  env: Env,
  session: SessionPrincipal,
  broadcasts: "all" | string[],
  viewer: Viewer,
  { later, timing }: Asking,
): Promise<Watched> {
  const zone = zoneOf(session.roomId) ?? "";
  const claimed = await timing.measure("claim", () =>
    ask(env, zone, "claimViews", { ...session, broadcasts }),
  );
  const { afterSeq } = claimed;
  const failed: Failed = "replace";
  const context = { env, zone, session, viewer, afterSeq, timing, failed };
  const watched = await bring(context, claimed, later);
  for (const { broadcastId, code, detail } of claimed.refused) {
    watched.views.push({ status: "refused", broadcastId, code, detail });
  }
  return watched;
}

/** Brings the tracks that a view's broadcast has gained since. */
export async function syncView(
  env: Env,
  session: SessionPrincipal,
  viewId: string,
  viewer: Viewer,
  { later, timing }: Asking,
): Promise<Watched> {
  const zone = zoneOf(session.roomId) ?? "";
  const located = await timing.measure("claim", () =>
    ask(env, zone, "locateViews", { ...session, viewIds: [viewId] }),
  );
  const { afterSeq } = located;
  const failed: Failed = "keep";
  const context = { env, zone, session, viewer, afterSeq, timing, failed };
  // Asking for the legs again adds those of the new tracks.
  const views = located.views.map((view) => ({ ...view, pipeOpen: false }));
  return bring(context, { ...located, views }, later);
}

/** What is slow does not hold up what is fast: it follows on the channel. */
async function bring(
  context: Context,
  { views }: ClaimedViews,
  later: (work: Promise<unknown>) => void,
): Promise<Watched> {
  const { env, session } = context;
  const watched: Watched = { transports: [], views: [] };
  const byWorker = [...Map.groupBy(views, (view) => view.consumer.workerId).values()];
  const { viewsAnswerMs } = configOf(env).settings.timing;
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, viewsAnswerMs);
  await Promise.all(
    byWorker.map(async (group) => {
      const bringing = bringFromWorker(context, group, later);
      const brought = await Promise.race([bringing, late]);
      watched.transports.push(...(brought?.transports ?? []));
      watched.views.push(...(brought?.views ?? group.map(pendingStatus)));
      if (!brought) later(bringing.then((last) => tellBrought(env, session, last)));
    }),
  );
  clearTimeout(timer);
  return watched;
}

function pendingStatus({ viewId: id, broadcastId }: ClaimedView) {
  return { status: "pending" as const, id, broadcastId };
}

/** All of a session's new views on one consumer worker. */
async function bringFromWorker(
  context: Context,
  views: ClaimedView[],
  later: (work: Promise<unknown>) => void,
): Promise<Watched> {
  const watched: Watched = { transports: [], views: [] };
  const failed: string[] = [];
  const pointless: string[] = [];
  const opened: ClaimedView[] = [];
  const refuse = ({ broadcastId }: ClaimedView, problem: Problem) => {
    const { code, message: detail } = problem;
    const known = code === "media-timeout" ? code : "media-failed";
    watched.views.push({ status: "refused", broadcastId, code: known, detail });
  };
  try {
    const first = await callWatch(context, views);
    const again = views.filter((view) => missesPipe(first, view));
    // A pipe that the ledger holds open may have died with its host's agent.
    const second = again.length > 0 ? await callWatch(context, again, true) : undefined;
    const transport = first.result?.transport ?? second?.result?.transport;
    if (transport) watched.transports.push(transport);
    for (const view of views) {
      const { broadcastId } = view;
      const sourceless = [second, first].flatMap(
        (brought) => brought?.sourceless.get(broadcastId) ?? [],
      )[0];
      if (sourceless) {
        // No other seat would show more: one that was in use waits for its source.
        if (!view.active) pointless.push(view.viewId);
        refuse(view, sourceless);
        continue;
      }
      const answer = answerFor(second, view) ?? answerFor(first, view);
      if (answer?.status !== "ready") {
        failed.push(view.viewId);
        const detail = answer?.reason ?? "The host did not answer for it.";
        refuse(view, new Problem("media-failed", { detail }));
        continue;
      }
      if (!view.pipeOpen || again.includes(view)) opened.push(view);
      const { viewId: id, transportId, consumer } = view;
      watched.views.push({
        status: "ready",
        id,
        broadcastId,
        transportId,
        workerId: consumer.workerId,
        consumers: answer.consumers,
      });
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    for (const view of views) {
      failed.push(view.viewId);
      refuse(view, error);
    }
  }
  const { env, zone, session } = context;
  if (pointless.length > 0 && context.failed !== "keep") {
    await ask(env, zone, "failViews", { ...session, viewIds: pointless, again: false });
  }
  if (failed.length > 0 && context.failed !== "keep") {
    const again = context.failed === "replace";
    const input = { ...session, viewIds: failed, again };
    const elsewhere = await ask(env, zone, "failViews", input);
    await bringElsewhere(context, elsewhere, watched, later);
  }
  if (opened.length > 0) {
    const pipes = opened.map(({ broadcastId, consumer, generation }) => ({
      broadcastId,
      workerId: consumer.workerId,
      generation,
    }));
    later(ask(env, zone, "openPipes", { pipes }));
  }
  return watched;
}

/** Brings once more what another host took over; what it refuses is refused. */
async function bringElsewhere(
  context: Context,
  { views, afterSeq }: ClaimedViews,
  watched: Watched,
  later: (work: Promise<unknown>) => void,
): Promise<void> {
  const taken = new Set(views.map(({ broadcastId }) => broadcastId));
  watched.views = watched.views.filter(
    (view) => view.status !== "refused" || !taken.has(view.broadcastId),
  );
  const groups = [...Map.groupBy(views, (view) => view.consumer.workerId).values()];
  const last: Context = { ...context, afterSeq, failed: "release" };
  const brought = await Promise.all(
    groups.map((group) => bringFromWorker(last, group, later)),
  );
  for (const one of brought) {
    watched.transports.push(...one.transports);
    watched.views.push(...one.views);
  }
}

function answerFor(brought: Brought | undefined, view: ClaimedView) {
  return brought?.result?.views.find((answer) => answer.viewId === view.viewId);
}

function missesPipe(brought: Brought, view: ClaimedView): boolean {
  const answer = answerFor(brought, view);
  return view.pipeOpen && answer?.status === "failed" && answer.code === "no-pipe";
}
