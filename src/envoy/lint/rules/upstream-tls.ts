// Rules about TLS to upstreams and to authz: that it is them.

import { when, type Rule } from '../rule.ts'
import { httpOptions, upstreamTls, type UpstreamTls } from '../view/cluster.ts'
import type { Setting } from '../view/setting.ts'

/** Rules about clusters that requests, or the questions about them, go to. */
export const upstreamTlsRules: readonly Rule<Setting>[] = [
  {
    id: 'upstream-unverified',
    severity: 'error',
    problem: 'the certificate of the server is not verified',
    risk: 'an attacker on the network can impersonate it, and receives every identity and request',
    remedy: 'common_tls_context: { validation_context: { trusted_ca: { filename: CA } } }',
    istio:
      'DestinationRule: trafficPolicy: { tls: { …, caCertificates: FILE, or credentialName: NAME } }',
    find: (cluster) =>
      upstreamTls(cluster).flatMap((tls) => {
        const validation = validationOf(tls)
        const choice = validation.own.get('trust_chain_verification')
        const chosen = choice.choice(['VERIFY_TRUST_CHAIN', 'ACCEPT_UNTRUSTED'])
        if (!isVerified(validation)) {
          return [{ at: tls.config.get('common_tls_context', 'validation_context') }]
        }
        return when(chosen === 'ACCEPT_UNTRUSTED', choice)
      }),
  },
  {
    id: 'upstream-any-name',
    severity: 'warning',
    problem: 'a certificate for any name is accepted from the server',
    risk: 'a holder of another certificate of that CA can impersonate it',
    remedy:
      'validation_context: { …, match_typed_subject_alt_names: [{ san_type: DNS, matcher: { exact: NAME } }] }',
    istio: 'DestinationRule: trafficPolicy: { tls: { …, subjectAltNames: [NAME] } }',
    find: (cluster) =>
      upstreamTls(cluster).flatMap((tls) => {
        const validation = validationOf(tls)
        const { own } = validation
        const named =
          NAMES.some((name) => own.get(name).items().length > 0) ||
          tls.config.get('auto_sni_san_validation').flag ||
          [httpOptions(cluster), cluster]
            .map((options) => options.get('upstream_http_protocol_options', 'auto_san_validation'))
            .some(({ flag }) => flag)
        // Where all of it is delivered, the name is in what is delivered.
        const judged = own.isSet && isVerified(validation)
        return when(judged && !named, own.get('match_typed_subject_alt_names'))
      }),
  },
]

/** What makes a certificate acceptable. */
const ANCHORS = [
  'trusted_ca',
  'ca_certificate_provider_instance',
  'system_root_certs',
  'verify_certificate_spki',
  'verify_certificate_hash',
  'custom_validator_config',
] as const

/** What ties it to one server. */
const NAMES = [
  'match_typed_subject_alt_names',
  'match_subject_alt_names',
  'verify_certificate_spki',
  'verify_certificate_hash',
] as const

interface Validation {
  /** The CertificateValidationContext that is written here; not set where there is none. */
  readonly own: Setting
  /** Whether it, or more of it, is delivered from elsewhere. */
  readonly delivered: boolean
}

const validationOf = ({ config }: UpstreamTls): Validation => {
  const common = config.get('common_tls_context')
  const combined = common.get('combined_validation_context')
  return {
    own: combined.isSet
      ? combined.get('default_validation_context')
      : common.get('validation_context'),
    delivered: [common, combined].some(
      (message) => message.get('validation_context_sds_secret_config').isSet,
    ),
  }
}

const isVerified = ({ own, delivered }: Validation): boolean =>
  delivered || ANCHORS.some((name) => own.get(name).isSet)
