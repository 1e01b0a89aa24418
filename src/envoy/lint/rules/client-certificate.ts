// Rules about client certificates as credentials: Envoy requests them, and only a trusted proxy may send
// them in a header.

import { when, type Rule } from '../rule.ts'
import { authenticatorsOf, credentialsOf, filtersInFront, type Edge } from '../view/credentials.ts'
import { isKind, KINDS, type Extension } from '../view/extension.ts'
import type { Manager } from '../view/manager.ts'
import { earlyMutations, isRemovedEarly, overwrites } from '../view/mutation.ts'
import type { Setting } from '../view/setting.ts'
import { asksForCertificates, downstreamTls, isPlainEdge, isPrivate } from './downstream-tls.ts'

const CLIENT_CERT = 'client-cert'

/** Rules about connection managers that call Countersign. */
export const clientCertificateRules: readonly Rule<Edge>[] = [
  {
    id: 'client-certificate-not-requested',
    severity: 'error',
    problem: 'Envoy does not request client certificates, which an authenticator reads',
    risk: 'authentication with a certificate always fails; require_client_certificate alone does not request one either',
    remedy:
      'transport_socket: { …, common_tls_context: { …, validation_context: { trusted_ca: { filename: CA } } } }',
    istio:
      'Gateway: servers: [{ tls: { mode: OPTIONAL_MUTUAL, credentialName: NAME }, … }], with ca.crt in the Secret',
    find: ({ site, manager, credentials }) => {
      const takers = credentials.filter(({ kind }) => OF_CONNECTION.has(kind))
      if (takers.length === 0 || asksForCertificates(manager)) return []
      const names = new Set(takers.map(({ authenticator }) => authenticator))
      // Browsers show a dialogue for the request, so a separate listener may be used for it.
      const elsewhere = site.managers.some(
        (other) =>
          asksForCertificates(other) &&
          credentialsOf(site, other).some(({ authenticator }) => names.has(authenticator)),
      )
      const severity = elsewhere ? 'warning' : 'error'
      return [{ at: validationIn(manager), detail: authenticatorsOf(takers), severity }]
    },
  },
  {
    id: 'client-cert-header-forgeable',
    severity: 'warning',
    problem:
      'authz reads client certificates from Client-Cert, which Envoy neither writes nor removes by itself',
    risk: 'any client of this listener can present the public certificate of another user and is authenticated as that user',
    remedy:
      'the preceding proxy must remove Client-Cert and Client-Cert-Chain of callers (RFC 9440 §2.4), and no other client may reach this listener: best a UNIX socket; early_header_mutation_extensions that remove both where callers connect; or `from: connection` in the authenticator',
    find: ({ site, manager, credentials }) => {
      const takers = credentials.filter(({ kind }) => kind === 'client-cert')
      if (takers.length === 0 || isPrivate(manager)) return []
      const written =
        isRemovedEarly(manager, CLIENT_CERT) ||
        earlyMutations(manager).some((mutation) => overwrites(mutation, CLIENT_CERT)) ||
        filtersInFront(site, manager).some(mentionsClientCert)
      return when(!written, manager.config.get('early_header_mutation_extensions'), {
        detail: authenticatorsOf(takers),
        severity: isPlainEdge(manager) ? 'error' : 'warning',
      })
    },
  },
]

const OF_CONNECTION: ReadonlySet<string> = new Set([
  'connection-certificate',
  'forwarded-certificate',
])

/** The setting for a CA. */
const validationIn = (manager: Manager): Setting => {
  const socket = manager.filterChain.get('transport_socket')
  if (!socket.isSet) return socket
  return downstreamTls(manager).get('common_tls_context', 'validation_context')
}

/** A script, a mutation, or a filter for RFC 9440; its effect cannot be determined here. */
const mentionsClientCert = (filter: Extension): boolean =>
  isKind(filter, KINDS.clientCert) ||
  [...filter.config.walk()].some(({ text }) => /client-cert(?!-chain)/i.test(text))
