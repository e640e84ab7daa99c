import type { Session } from "./api/types.ts";

/**
 * The sessions of the joint market in the order of their numbers. Others (bilateral, listing,
 * monthly calls ...) run beside them; this page neither trades in them nor shows their results.
 */
export function jointOf(sessions: readonly Session[]): Session[] {
  return sessions
    .filter((session) => session.mode.kind === "joint")
    .toSorted((a, b) => a.id - b.id);
}

/** The session that takes orders, or will next, or else the last one. */
export function tradingOf(joint: readonly Session[]): Session | null {
  const find = (...phases: Session["phase"][]) =>
    joint.find((session) => phases.includes(session.phase));
  return find("open", "halted") ?? find("announced") ?? joint.at(-1) ?? null;
}

/** The last session that has cleared. */
export function clearedOf(joint: readonly Session[]): Session | null {
  return joint.findLast(({ phase }) => phase === "cleared" || phase === "settled") ?? null;
}
