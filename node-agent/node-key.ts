import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
} from "node:crypto";
import {
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type NodeProof, proofText } from "#schema/agent/proof.ts";
import { ConfigError } from "./config.ts";

/**
 * The key pair to which control binds the node's name. It is made at the first
 * start and stays on the host: with the zone's node key alone nobody else can
 * register under this name.
 */
export class NodeKey {
  /** The Ed25519 public key, base64url. */
  readonly publicKey: string;
  readonly #privateKey: KeyObject;

  private constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
    this.publicKey = createPublicKey(privateKey).export({ format: "jwk" }).x ?? "";
  }

  /**
   * The node's key, made where there is none.
   * @param folder where it is kept, in a file that only its owner may read
   * @param name the node's name, which the file carries
   * @throws ConfigError where the file cannot be made, or is no such key
   */
  static load(folder: string, name: string): NodeKey {
    const file = join(folder, `${name}.node-key.pem`);
    try {
      if (!exists(file)) make(folder, file);
      const key = createPrivateKey(readFileSync(file));
      if (key.asymmetricKeyType !== "ed25519") throw new Error("it is no Ed25519 key");
      if ((statSync(file).mode & 0o077) !== 0) {
        throw new Error("others may read it: chmod 600, or remove it if they did");
      }
      return new NodeKey(key);
    } catch (error) {
      throw new ConfigError(
        `WEIR_STATE cannot be used, ${file}: ${(error as Error).message}`,
      );
    }
  }

  /** Signs what control asked for. */
  sign(proof: NodeProof): string {
    return sign(null, proofText(proof), this.#privateKey).toString("base64url");
  }
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** Makes a key file as a whole or not at all, so that no one reads half of it. */
function make(folder: string, file: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync("ed25519");
  const fresh = `${file}.${randomUUID()}`;
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  writeFileSync(fresh, pem, { mode: 0o600 });
  try {
    linkSync(fresh, file);
  } catch (error) {
    // Another start of the same node was faster: its key is the node's.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
}
