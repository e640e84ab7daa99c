import { pause } from "../pause.ts";

/** One message of an event stream. */
export interface Message {
  id: string | null;
  event: string;
  data: string;
}

/** Puts the messages of a `text/event-stream` together, however the network has cut them. */
export class MessageReader {
  #rest = "";
  #id: string | null = null;
  #event = "";
  #data: string[] = [];

  push(chunk: string): Message[] {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line.replace(/\r$/, "")));
  }

  #line(line: string): Message[] {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return [];
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "id") this.#id = value;
    else if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    return [];
  }

  #dispatch(): Message[] {
    const empty = this.#data.length === 0;
    const message = { id: this.#id, event: this.#event || "message", data: this.#data.join("\n") };
    this.#event = "";
    this.#data = [];
    return empty ? [] : [message];
  }
}

export interface StreamListener {
  message(message: Message): void;
  /** The stream is open (again), or lost. */
  connected(yes: boolean): void;
}

const RETRY_MS = [250, 500, 1_000, 2_000, 5_000];
/** The node sends a comment at least this often; a silent connection is a dead one. */
const SILENCE_MS = 30_000;

/**
 * Follows the stream of final events until `signal` aborts. A lost connection is taken up behind
 * the last event that was read, so nothing is missed and nothing comes twice.
 */
export async function follow(
  url: string,
  listener: StreamListener,
  signal: AbortSignal,
): Promise<void> {
  let last: string | null = null;
  let failures = 0;
  while (!signal.aborted) {
    try {
      await readOnce(url, last, signal, {
        connected: (yes) => {
          failures = 0;
          listener.connected(yes);
        },
        message: (message) => {
          last = message.id ?? last;
          listener.message(message);
        },
      });
    } catch {
      // Any failure of the network has the same answer: try again behind the last event.
    }
    listener.connected(false);
    const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0;
    failures += 1;
    await pause(wait);
  }
}

async function readOnce(
  url: string,
  last: string | null,
  signal: AbortSignal,
  listener: StreamListener,
): Promise<void> {
  const silence = new AbortController();
  const headers: Record<string, string> = { accept: "text/event-stream" };
  if (last !== null) headers["last-event-id"] = last;
  const answer = await fetch(url, {
    headers,
    cache: "no-store",
    signal: AbortSignal.any([signal, silence.signal]),
  });
  if (!answer.ok || !answer.body) throw new Error(`event stream: ${answer.status}`);
  listener.connected(true);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  const messages = new MessageReader();
  for (;;) {
    const timer = setTimeout(() => silence.abort(), SILENCE_MS);
    const { value, done } = await reader.read();
    clearTimeout(timer);
    if (done) return;
    for (const message of messages.push(value)) listener.message(message);
  }
}
