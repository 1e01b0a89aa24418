// Rules about X-Forwarded-Client-Cert, in which Envoy reports client certificates: no caller can write it,
// and authz receives it when an authenticator reads it.

import type { Credential } from '../credentials.ts'
import { when, type Hit, type Rule } from '../rule.ts'
import { authenticatorsOf, type Edge } from '../view/credentials.ts'
import type { Manager } from '../view/manager.ts'
import { isRemovedEarly } from '../view/mutation.ts'
import type { Setting } from '../view/setting.ts'

const HEADER = 'x-forwarded-client-cert'

const FORWARDING = [
  'SANITIZE',
  'FORWARD_ONLY',
  'APPEND_FORWARD',
  'SANITIZE_SET',
  'ALWAYS_FORWARD_ONLY',
] as const

// Also by the annotation proxy.istio.io/config of the gateway's pods.
const TOPOLOGY =
  'MeshConfig: defaultConfig.gatewayTopology.forwardClientCertDetails: SANITIZE_SET, which is the default'

/** Rules about the header, of connection managers that call Countersign. */
export const forwardedCertificateRules: readonly Rule<Edge>[] = [
  {
    id: 'client-certificate-header-forwarded',
    severity: 'error',
    problem: 'X-Forwarded-Client-Cert of the caller is forwarded',
    risk: 'a caller can claim any client certificate',
    remedy: 'forward_client_cert_details: SANITIZE',
    istio: TOPOLOGY,
    find: ({ manager, credentials }) => {
      if (takersIn(credentials).length > 0) return [] // the next rule’s
      return placesIn(manager).flatMap((place) => {
        const chosen = chosenIn(place)
        const safe = chosen === 'SANITIZE' || chosen === 'SANITIZE_SET'
        return when(!safe, detailsIn(place), { detail: chosen })
      })
    },
  },
  {
    id: 'forwarded-certificate-forgeable',
    severity: 'error',
    problem:
      'authz reads client certificates from X-Forwarded-Client-Cert, which callers can write',
    risk: 'a caller can present the public certificate of another user and is authenticated as that user',
    remedy:
      'forward_client_cert_details: SANITIZE_SET, set_current_client_cert_details: { cert: true, chain: true }; or APPEND_FORWARD with the same details, without `uri` and `dns` in any proxy, and `element: last` in the authenticator',
    istio: TOPOLOGY,
    find: ({ manager, credentials }) => {
      const takers = takersIn(credentials)
      if (takers.length === 0) return []
      return placesIn(manager).flatMap((place) => forgeableIn(place, takers, manager))
    },
  },
  {
    id: 'forwarded-certificate-ambiguous',
    severity: 'error',
    problem:
      'authz reads the last element of X-Forwarded-Client-Cert, and Envoy writes unquoted names into it',
    risk: 'a comma in a URI or DNS name looks like the start of another element: authz refuses such requests, and those to which a preceding proxy added a name',
    remedy: 'set_current_client_cert_details: { cert: true, chain: true }, without `uri` and `dns`',
    istio: `${TOPOLOGY}, and \`element: only\` in the authenticator; Istio always writes both names`,
    find: ({ manager, credentials }) => {
      const last = takersIn(credentials).filter(({ element }) => element === 'last')
      if (last.length === 0) return []
      return written(manager)
        .flatMap((place) =>
          ['uri', 'dns'].map((name) => place.get('set_current_client_cert_details', name)),
        )
        .flatMap((at) => when(at.flag, at, { detail: authenticatorsOf(last) }))
    },
  },
  {
    id: 'forwarded-certificate-removed',
    severity: 'error',
    problem: 'authz reads client certificates from X-Forwarded-Client-Cert, which Envoy removes',
    risk: 'the header never arrives: authentication with a certificate always fails',
    remedy:
      'forward_client_cert_details: SANITIZE_SET, set_current_client_cert_details: { cert: true, chain: true }',
    istio: TOPOLOGY,
    find: ({ manager, credentials }) => {
      const takers = takersIn(credentials)
      const removed = placesIn(manager).every((place) => chosenIn(place) === 'SANITIZE')
      const detail = authenticatorsOf(takers)
      return when(takers.length > 0 && removed, detailsIn(manager.config), { detail })
    },
  },
  {
    id: 'forwarded-certificate-empty',
    severity: 'error',
    problem: 'X-Forwarded-Client-Cert lacks the certificate that authz reads from it',
    risk: 'callers with a client certificate are refused: without it the header contains only a hash',
    remedy: 'set_current_client_cert_details: { cert: true, chain: true }',
    find: ({ manager, credentials }) => {
      const takers = takersIn(credentials)
      if (takers.length === 0) return []
      return written(manager)
        .map((place) => place.get('set_current_client_cert_details', 'cert'))
        .flatMap((at) => when(!at.flag, at, { detail: authenticatorsOf(takers) }))
    },
  },
  {
    id: 'forwarded-chain-missing',
    severity: 'warning',
    problem: 'X-Forwarded-Client-Cert lacks the intermediate certificates',
    risk: 'certificates that `trust` has not signed directly are refused',
    remedy:
      'set_current_client_cert_details: { cert: true, chain: true }, or `intermediates` in the authenticator',
    find: ({ manager, credentials }) => {
      const takers = takersIn(credentials).filter(({ chain }) => chain)
      if (takers.length === 0) return []
      return written(manager)
        .map((place) => place.get('set_current_client_cert_details'))
        .filter((details) => details.get('cert').flag)
        .map((details) => details.get('chain'))
        .flatMap((at) => when(!at.flag, at, { detail: authenticatorsOf(takers) }))
    },
  },
]

type Taker = Extract<Credential, { readonly kind: 'forwarded-certificate' }>

const takersIn = (credentials: readonly Credential[]): readonly Taker[] =>
  credentials.filter((one) => one.kind === 'forwarded-certificate')

/** The settings of the header, unconditional and conditional; the default is SANITIZE. */
const placesIn = ({ config }: Manager): readonly Setting[] => [
  config,
  ...[...config.get('forward_client_cert_matcher').walk()].filter((setting) =>
    FIELDS.some((field) => setting.get(field).isSet),
  ),
]

const FIELDS = ['forward_client_cert_details', 'set_current_client_cert_details'] as const

const detailsIn = (place: Setting): Setting => place.get('forward_client_cert_details')

const chosenIn = (place: Setting): string => detailsIn(place).choice(FORWARDING)

/** The places where Envoy writes what it knows of the certificate. */
const written = (manager: Manager): readonly Setting[] =>
  placesIn(manager).filter((place) => ['SANITIZE_SET', 'APPEND_FORWARD'].includes(chosenIn(place)))

const forgeableIn = (
  place: Setting,
  takers: readonly Taker[],
  manager: Manager,
): readonly Hit[] => {
  const chosen = chosenIn(place)
  if (chosen !== 'APPEND_FORWARD') {
    const safe = chosen === 'SANITIZE' || chosen === 'SANITIZE_SET'
    return when(!safe, detailsIn(place), { detail: chosen })
  }
  // Early removals come first (measured, 1.40): then there is nothing to append to.
  if (isRemovedEarly(manager, HEADER)) return []
  const first = takers.filter(({ element }) => element === 'only')
  const detail = `${chosen} keeps what they wrote, and "element" is not "last" in ${authenticatorsOf(first)}`
  return when(first.length > 0, detailsIn(place), { detail })
}
