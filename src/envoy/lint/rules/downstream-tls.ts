// Rules about the TLS that callers speak: whether a client certificate means what authz takes it for.

import { when, type Rule } from '../rule.ts'
import { extensionIn } from '../view/extension.ts'
import type { Manager } from '../view/manager.ts'
import type { Setting } from '../view/setting.ts'

/** Rules about the TLS of connection managers that call Countersign. */
export const downstreamTlsRules: readonly Rule<Manager>[] = [
  {
    id: 'client-certificate-untrusted',
    severity: 'error',
    problem: 'client certificates are accepted from any issuer',
    risk: 'a caller can forge a certificate for any subject, and authz receives it as presented',
    remedy: 'trust_chain_verification: VERIFY_TRUST_CHAIN',
    find: (manager) =>
      validations(manager).flatMap((validation) =>
        when(isUntrusting(validation), validation.get('trust_chain_verification')),
      ),
  },
  {
    id: 'client-session-resumed',
    severity: 'warning',
    problem: 'TLS sessions with client certificates can be resumed',
    risk: 'a resumed session restores the certificate without validation: revoked and expired certificates remain accepted',
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

/** Whether Envoy requests client certificates, or they come from another source. */
export const asksForCertificates = (manager: Manager): boolean => {
  const common = downstreamTls(manager).get('common_tls_context')
  const validation = common.get('validation_context')
  return (
    common.get('validation_context_sds_secret_config').isSet ||
    common.get('combined_validation_context').isSet || // one half of it is a secret
    isUntrusting(validation) ||
    TRUST.some((name) => validation.get(name).isSet)
  )
}

// Envoy asks for a certificate only where it has something to hold it against, even with
// `require_client_certificate` (measured, 1.40).
const TRUST = [
  'trusted_ca',
  'ca_certificate_provider_instance',
  'system_root_certs',
  'custom_validator_config',
  'verify_certificate_hash',
  'verify_certificate_spki',
] as const

const isUntrusting = (validation: Setting): boolean =>
  validation.get('trust_chain_verification').choice(['VERIFY_TRUST_CHAIN', 'ACCEPT_UNTRUSTED']) ===
  'ACCEPT_UNTRUSTED'

/**
 * Whether callers themselves connect there: their TLS ends there, and no proxy in front is counted.
 */
export const isPlainEdge = (manager: Manager): boolean =>
  !isPrivate(manager) &&
  downstreamTls(manager).get('common_tls_context').isSet &&
  !(
    downstreamTls(manager).get('require_client_certificate').flag && asksForCertificates(manager)
  ) &&
  (manager.config.get('xff_num_trusted_hops').count ?? 0) === 0 &&
  manager.config.get('original_ip_detection_extensions').items().length === 0

/** Whether the network does not reach it. */
export const isPrivate = ({ listener }: Manager): boolean =>
  listener.get('address', 'pipe').isSet || listener.get('internal_listener').isSet

/** Every setting that makes Envoy request client certificates. */
const VALIDATIONS = [
  'validation_context',
  'validation_context_sds_secret_config',
  'combined_validation_context',
] as const

/** The DownstreamTlsContext of a filter chain, over TCP or QUIC; not set where there is none. */
export const downstreamTls = ({ filterChain }: Manager): Setting => {
  let { config } = extensionIn(filterChain.get('transport_socket'))
  // PROXY protocol and similar sockets wrap the TLS socket.
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
