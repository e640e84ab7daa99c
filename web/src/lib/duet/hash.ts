import { concat } from "./codec.ts";

/** SHA-256 of the bytes behind the name of what they are, so that no two kinds share a hash. */
export async function domainHash(
  domain: string,
  ...parts: readonly Uint8Array[]
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = concat([new TextEncoder().encode(domain), ...parts]);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
