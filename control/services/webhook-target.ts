/**
 * Whether a webhook may go to this address: https to a public name. What it
 * resolves to is out of reach here; where control runs at the edge, private
 * networks are too.
 * @param loopbackAllowed for development: http and https to this machine
 * @returns why not, or undefined where it may
 */
export function targetRefusal(
  address: string,
  loopbackAllowed: boolean,
): string | undefined {
  const url = new URL(address);
  // A name may end with the dot of the root, and means the same then.
  const host = url.hostname.replace(/^\[|\]$|\.$/g, "").toLowerCase();
  if (isLoopback(host)) {
    return loopbackAllowed ? undefined : "has to be a public address";
  }
  if (url.protocol !== "https:") return "has to be https";
  if (url.username || url.password) return "must hold no credentials";
  if (isPrivate(host)) return "has to be a public address";
  return undefined;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Literal private, link-local and special addresses, and names that are local. */
function isPrivate(host: string): boolean {
  if (host.includes(":")) return !/^[23]/.test(host);
  const [a = -1, b = -1] = /^\d+(\.\d+){3}$/.test(host)
    ? host.split(".").map(Number)
    : [];
  if (a >= 0) {
    return (
      a === 0 ||
      a === 10 ||
      a === 127 ||
      a >= 224 ||
      (a === 100 && b >= 64 && b < 128) ||
      (a === 169 && b === 254) ||
      (a === 172 && b >= 16 && b < 32) ||
      (a === 192 && (b === 168 || b === 0)) ||
      (a === 198 && (b === 18 || b === 19))
    );
  }
  return !host.includes(".") || /\.(local|internal|localhost|home|lan|arpa)$/.test(host);
}
