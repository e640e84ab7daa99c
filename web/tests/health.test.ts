import { describe, expect, it } from "vitest";
import type { Device } from "../src/lib/api/types.ts";
import { alarmNames, standing } from "../src/lib/health.ts";
import { m } from "../src/paraglide/messages";

const health: NonNullable<Device["health"]> = {
  sampled_at_ms: 1,
  light: "alarm",
  link: "down",
  channels: [],
  stations_up: 3,
  stations_down: 2,
  backlog: 1_234,
  backlog_limit: 100_000,
  alarms: 0,
};

describe("a gateway's health", () => {
  it("names each alarm whose bit is set", () => {
    expect(alarmNames(0)).toEqual([]);
    expect(alarmNames(0b11_1111)).toEqual([
      ...[m.alarm_limit(), m.alarm_sensor(), m.alarm_backlog()],
      ...[m.alarm_refused(), m.alarm_station(), m.alarm_dispatch()],
    ]);
    expect(alarmNames(0b1_0001)).toEqual([m.alarm_limit(), m.alarm_station()]);
  });

  it("does not hide an alarm that it has no name for", () => {
    expect(alarmNames(2 ** 31)).toEqual([m.alarm_unknown({ bit: 31 })]);
  });

  it("says how link, stations and backlog stand", () => {
    const [link, stations, backlog] = standing(health);
    expect(link).toBe(m.link_down());
    expect(stations).toBe(m.stations_state({ up: 3, down: 2 }));
    expect(stations).toMatch(/3.*2/);
    expect(backlog).toMatch(/1.?234.*100.?000/);
  });
});
