import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { KannukiError } from '@kannuki/core';
import type { Enrollment } from '../identity/enrollment.ts';

/**
 * The VM behind a connection. TLS has checked that our authority signed its certificate; whether it still counts is
 * looked up on every request, so that a revocation works at once on open connections too.
 * @throws KannukiError KNK-SRV-0007
 */
export function requireVm(request: IncomingMessage, enrollment: Enrollment): string {
  const socket = request.socket as TLSSocket;
  const certificate = socket.authorized === true ? socket.getPeerX509Certificate() : undefined;
  const vmId = certificate === undefined ? undefined : enrollment.identify(certificate.serialNumber);
  if (vmId === undefined) throw new KannukiError('KNK-SRV-0007');
  return vmId;
}
