import { fromHex, toHex } from "./codec.ts";

/** An operator's key as the browser keeps it: it can sign, but nobody can read it out. */
export interface OperatorKey {
  /** The public key, in hexadecimal digits; also its name in the store. */
  publicKey: string;
  label: string;
  privateKey: CryptoKey;
}

/** The head of an Ed25519 private key in PKCS#8 (RFC 8410), before the 32 bytes of the seed. */
const PKCS8_HEAD = fromHex("302e020100300506032b657004220420");
const DATABASE = "duet-keys";
const STORE = "operators";

/** Whether the browser can sign at all: it needs a secure origin and Ed25519. */
export async function canSign(): Promise<boolean> {
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes a non-extractable key from a seed and proves that it belongs to `publicKey`, so that a
 * mix-up shows here and not as a rejected order.
 */
export async function importSeed(
  seedHex: string,
  publicKey: string,
  label: string,
): Promise<OperatorKey> {
  const seed = fromHex(seedHex);
  if (seed.length !== 32) throw new RangeError("a seed has 32 bytes");
  const pkcs8 = new Uint8Array(PKCS8_HEAD.length + seed.length);
  pkcs8.set(PKCS8_HEAD);
  pkcs8.set(seed, PKCS8_HEAD.length);
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
  pkcs8.fill(0);
  seed.fill(0);
  const probe = new TextEncoder().encode("duet/key-check/v1");
  const signature = await crypto.subtle.sign("Ed25519", privateKey, probe);
  const verifier = await crypto.subtle.importKey("raw", fromHex(publicKey), "Ed25519", true, [
    "verify",
  ]);
  if (!(await crypto.subtle.verify("Ed25519", verifier, signature, probe))) {
    throw new Error("the seed does not belong to the public key");
  }
  return { publicKey: toHex(fromHex(publicKey)), label, privateKey };
}

export async function saveKey(key: OperatorKey): Promise<void> {
  await inStore("readwrite", (store) => store.put(key, key.publicKey));
}

export async function loadKey(publicKey: string): Promise<OperatorKey | undefined> {
  return inStore<OperatorKey | undefined>("readonly", (store) => store.get(publicKey));
}

export async function forgetKey(publicKey: string): Promise<void> {
  await inStore("readwrite", (store) => store.delete(publicKey));
}

function inStore<T>(
  mode: IDBTransactionMode,
  act: (store: IDBObjectStore) => IDBRequest,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const request = act(database.transaction(STORE, mode).objectStore(STORE));
      request.onsuccess = () => {
        database.close();
        resolve(request.result as T);
      };
      request.onerror = () => {
        database.close();
        reject(request.error);
      };
    };
  });
}
