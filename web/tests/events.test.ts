import { describe, expect, it } from "vitest";
import { MessageReader } from "../src/lib/api/events.ts";

const stream =
  ': hello\n\nid: 7.0\nevent: gate_opened\ndata: {"height":7}\n\n' +
  "id: 7.1\r\ndata: one\r\ndata: two\r\n\r\n";

describe("an event stream", () => {
  it("cut anywhere gives the same messages", () => {
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const reader = new MessageReader();
      const messages = [...reader.push(stream.slice(0, cut)), ...reader.push(stream.slice(cut))];
      expect(messages, `cut at ${cut}`).toEqual([
        { id: "7.0", event: "gate_opened", data: '{"height":7}' },
        { id: "7.1", event: "message", data: "one\ntwo" },
      ]);
    }
  });

  it("keeps an unfinished message back", () => {
    expect(new MessageReader().push("id: 8.0\ndata: x\n")).toEqual([]);
  });
});
