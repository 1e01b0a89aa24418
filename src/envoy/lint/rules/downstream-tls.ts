// Rules about the TLS that callers speak: whether a client certificate means what authz takes it for.

import { when, type Rule } from '../rule.ts'
import { extensionIn } from '../view/extension.ts'
import type { Manager } from '../view/manager.ts'
import type { Setting } from '../view/setting.ts'

/** Rules about the TLS of connection managers that ask Countersign. */
export const downstreamTlsRules: readonly Rule<Manager>[] = [
  {
    id: 'client-certificate-untrusted',
    severity: 'error',
    problem: 'client certificates are accepted from any issuer',
    risk: 'a caller can make the certificate of anybody, and authz sees it as presented',
    remedy: 'trust_chain_verification: VERIFY_TRUST_CHAIN',
    find: (manager) =>
      [...validations(manager)]
        .map((validation) => validation.get('trust_chain_verification'))
        .flatMap((at) =>
          when(at.choice(['VERIFY_TRUST_CHAIN', 'ACCEPT_UNTRUSTED']) === 'ACCEPT_UNTRUSTED', at),
        ),
  },
  {
    id: 'client-session-resumed',
    severity: 'warning',
    problem: 'TLS sessions with client certificates can be resumed',
    risk: 'a resumed session brings the certificate back without validating it again: revoked and expired ones go on',
    remedy: 'disable_stateless_session_resumption: true, disable_stateful_session_resumption: true',
    find: (manager) => {
      const tls = downstreamTls(manager)
      const common = tls.get('common_tls_context')
      const asks = VALIDATIONS.some((name) => common.get(name).isSet)
      const left = [
        tls.get('disable_stateless_session_resumption'),
        tls.get('disable_stateful_session_resumption'),
      ].find((setting) => !setting.flag)
      return left === undefined ? [] : when(asks, left)
    },
  },
]

/** Every way to say that client certificates are asked for. */
const VALIDATIONS = [
  'validation_context',
  'validation_context_sds_secret_config',
  'combined_validation_context',
] as const

/** The DownstreamTlsContext of a filter chain, over TCP or QUIC; not set where there is none. */
const downstreamTls = ({ filterChain }: Manager): Setting => {
  let { config } = extensionIn(filterChain.get('transport_socket'))
  // PROXY protocol and others wrap the socket that encrypts.
  while (config.get('transport_socket').isSet) {
    config = extensionIn(config.get('transport_socket')).config
  }
  const ofQuic = config.get('downstream_tls_context')
  return ofQuic.isSet ? ofQuic : config
}

const validations = (manager: Manager): readonly Setting[] => {
  const common = downstreamTls(manager).get('common_tls_context')
  return [
    common.get('validation_context'),
    common.get('combined_validation_context', 'default_validation_context'),
  ]
}
