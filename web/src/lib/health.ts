import { m } from "../paraglide/messages";
import type { Device } from "./api/types.ts";
import { count } from "./format.ts";

type Health = NonNullable<Device["health"]>;

/** The alarms of a health report, by their bits (docs/gateway.md). */
const ALARMS = [
  m.alarm_limit,
  m.alarm_sensor,
  m.alarm_backlog,
  m.alarm_refused,
  m.alarm_station,
  m.alarm_dispatch,
] as const;

const LINKS = { unknown: m.link_unknown, down: m.link_down, up: m.link_up } as const;

/** The names of the alarms whose bits are set; a bit of a later version is called by its number. */
export function alarmNames(alarms: number): string[] {
  const set = Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => (alarms >>> bit) & 1);
  return set.map((bit) => ALARMS[bit]?.() ?? m.alarm_unknown({ bit }));
}

/** How a gateway stands besides its board: link, stations, backlog. */
export function standing(health: Health): string[] {
  return [
    LINKS[health.link](),
    m.stations_state({ up: health.stations_up, down: health.stations_down }),
    m.backlog_state({ waiting: count(health.backlog), limit: count(health.backlog_limit) }),
  ];
}
