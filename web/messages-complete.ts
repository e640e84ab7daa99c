import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Plugin } from "vite";

const LOCALES = ["zh-CN", "en"] as const;

/** The keys that some locale lacks, written `locale: key`; empty when every text exists in each. */
export function missingMessages(folder: string): string[] {
  const texts = LOCALES.map(
    (locale) =>
      [
        locale,
        JSON.parse(readFileSync(resolve(folder, `${locale}.json`), "utf8")) as Record<
          string,
          string
        >,
      ] as const,
  );
  const keys = [...new Set(texts.flatMap(([, messages]) => Object.keys(messages)))].sort();
  return texts.flatMap(([locale, messages]) =>
    keys.filter((key) => !messages[key]?.trim()).map((key) => `${locale}: ${key}`),
  );
}

/**
 * Fails the build when a text exists in one language only. The message compiler itself would fall
 * back to the other language without a word.
 */
export function messagesComplete(folder: string): Plugin {
  return {
    name: "messages-complete",
    buildStart() {
      const missing = missingMessages(folder);
      if (missing.length > 0) this.error(`texts without translation:\n  ${missing.join("\n  ")}`);
    },
  };
}
