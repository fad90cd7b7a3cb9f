import type { DtlsParametersWire } from "#schema/media.ts";
import { WeirError } from "./errors.ts";

/** The client's DTLS certificate and what the server needs to know of it. */
export interface Identification {
  certificate: RTCCertificate;
  /** Sent along with requests, so that the server connects transports at once. */
  dtlsParameters: DtlsParametersWire;
}

/**
 * Makes the certificate that every transport of a session uses. Made first and
 * announced with each request, it saves the round trip of `connect`.
 * @throws WeirError `unsupported` where the browser has no WebRTC
 */
export async function makeIdentification(): Promise<Identification> {
  if (typeof RTCPeerConnection === "undefined") {
    throw new WeirError("unsupported", "This browser has no WebRTC.");
  }
  // ECDSA is made in a few milliseconds, where RSA takes up to a second.
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const certificate = await RTCPeerConnection.generateCertificate(algorithm);
  const fingerprints = await fingerprintsOf(certificate);
  return { certificate, dtlsParameters: { role: "client", fingerprints } };
}

async function fingerprintsOf(certificate: RTCCertificate) {
  const known = certificate.getFingerprints?.() ?? [];
  const fingerprints = known.flatMap(({ algorithm, value }) =>
    algorithm && value ? [{ algorithm, value: value.toUpperCase() }] : [],
  );
  return fingerprints.length > 0 ? fingerprints : fingerprintsByOffer(certificate);
}

// Some browsers do not tell a certificate's fingerprint, but write it into offers.
async function fingerprintsByOffer(certificate: RTCCertificate) {
  const peer = new RTCPeerConnection({ certificates: [certificate] });
  try {
    peer.createDataChannel("fingerprint");
    const { sdp = "" } = await peer.createOffer();
    const found = /^a=fingerprint:(\S+) (\S+)/m.exec(sdp);
    if (!found?.[1] || !found[2]) {
      throw new WeirError("unsupported", "The browser does not tell its fingerprint.");
    }
    return [{ algorithm: found[1].toLowerCase(), value: found[2].toUpperCase() }];
  } finally {
    peer.close();
  }
}
