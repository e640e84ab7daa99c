import { paraglideVitePlugin } from "@inlang/paraglide-js";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { messagesComplete } from "./messages-complete.ts";

const texts = paraglideVitePlugin({
  project: "./project.inlang",
  outdir: "./src/paraglide",
  strategy: ["localStorage", "baseLocale"],
});

export default defineConfig({
  plugins: [
    messagesComplete("messages"),
    // Tests find the texts compiled by `npm test`; the compiler would keep the runner from ending.
    process.env["VITEST"] ? [] : texts,
    svelte(),
  ],
  // The node serves the page under `default-src 'self'`: nothing may become a data: address.
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: {
    proxy: { "/v1": process.env["DUET_URL"] ?? "http://127.0.0.1:8080" },
  },
  test: { include: ["tests/**/*.test.{ts,mjs}"], environment: "node" },
});
