import type { Session } from "./api/types.ts";

/** The sessions of the joint market in the order of their numbers. */
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

/** Sessions that one can trade in now or later, the joint ones and all others. */
export function liveOf(sessions: readonly Session[]): Session[] {
  const ended: readonly Session["phase"][] = ["cleared", "settled", "void"];
  return sessions
    .filter((session) => !ended.includes(session.phase))
    .toSorted((a, b) => a.id - b.id);
}

export const takesOrders = (phase: string): boolean => phase === "open" || phase === "continuous";

/** Whether orders match on arrival in the phase, so that there is a book to look at. */
export const matchesOnArrival = (session: Session): boolean =>
  session.mode.kind === "rolling" ||
  (session.mode.kind === "continuous" && session.phase === "continuous");

/** The first and the last delivery day: `2026-07-06`, `2026-07-06 / 12`. */
export function productDays(session: Session): string {
  if (session.days === 1) return session.day;
  const last = new Date(Date.parse(session.day) + (session.days - 1) * 86_400_000);
  const text = last.toISOString().slice(0, 10);
  const same = text.slice(0, 8) === session.day.slice(0, 8);
  return `${session.day} / ${same ? text.slice(8) : text.slice(5)}`;
}

/** The version of a rule as the rules page names it. */
export function ruleName(
  rules: readonly { id: number; rule: { province: string; version: number } }[],
  id: number,
): string {
  const found = rules.find((row) => row.id === id);
  return found ? `${found.rule.province} v${found.rule.version}` : `#${id}`;
}
