import ipaddr from "ipaddr.js";

/**
 * Whether a host may announce an address: it has to be the one from which the
 * host calls, or stand in the operator's list. Otherwise whoever has the zone's
 * node key could have pipes send their packets to somebody else.
 * @param address an IP address or a name
 * @param source the address from which the request came, where it is known
 * @param allowed the operator's list: addresses, networks as 10.0.0.0/8, names
 */
export function mayAnnounce(
  address: string,
  source: string | undefined,
  allowed: readonly string[],
): boolean {
  if (allowed.some((entry) => matches(address, entry))) return true;
  const announced = read(address);
  const from = source === undefined ? undefined : read(source);
  if (!announced || !from) return false;
  // On one machine every loopback address is the same host.
  const isLocal = announced.range() === "loopback" && from.range() === "loopback";
  return isLocal || announced.toNormalizedString() === from.toNormalizedString();
}

/**
 * Whom an address stands for where calls are counted: itself, or for IPv6 its
 * /64, as whoever has one address there has all of them.
 */
export function networkOf(address: string): string {
  const known = read(address);
  if (!known || known.kind() === "ipv4") return address;
  return known.toNormalizedString().split(":").slice(0, 4).join(":");
}

function matches(address: string, entry: string): boolean {
  if (address.toLowerCase() === entry.toLowerCase()) return true;
  const announced = read(address);
  if (!announced || !ipaddr.isValidCIDR(entry)) return false;
  const [network, bits] = ipaddr.parseCIDR(entry);
  return network.kind() === announced.kind() && announced.match(network, bits);
}

/** An address, where an IPv4 one is the same whether it came as IPv6 or not. */
function read(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  return ipaddr.isValid(text) ? ipaddr.process(text) : undefined;
}
