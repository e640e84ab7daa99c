import { market } from "./market.svelte.ts";
import { ui } from "./ui.svelte.ts";

/** The name of an organisation in the reader's language. */
export function memberName(organisation: number): string {
  const found = market.organisations.get(organisation);
  if (!found) return `#${organisation}`;
  return ui.locale === "zh-CN" && found.name_zh !== "" ? found.name_zh : found.name;
}

export const unitName = (unit: number): string => market.units.get(unit)?.name ?? `#${unit}`;

/** A unit behind the name of the member who owns it. */
export function partyName(unit: number): string {
  const found = market.units.get(unit);
  return found ? `${memberName(found.owner)} · ${found.name}` : `#${unit}`;
}
