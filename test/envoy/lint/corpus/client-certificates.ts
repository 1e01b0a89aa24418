// Faults of client certificates as credentials: of the connection, and of the headers that tell them.

import type { Severity } from '../../../../src/envoy/lint/rule.ts'
import {
  AUTHZ,
  DOWNSTREAM_TLS,
  extension,
  FILTER_CHAIN,
  LISTENER,
  MANAGER,
  partOf,
  type Change,
  type Fault,
} from './case.ts'
import {
  CLIENT_CERT,
  CONDITION,
  CONNECTION,
  CURRENT,
  DETAILS,
  EARLY,
  FORWARDED,
  FORWARDED_KEPT,
  FORWARDED_LAST,
  KEPT,
  MUTATIONS,
  onCondition,
  REMOVAL,
  VALIDATION,
  wanting,
  WRITTEN,
} from './credentials.ts'

const connection: readonly Fault[] = [
  ...(
    [
      ['no validation', [[VALIDATION]]],
      ['no CA', [[VALIDATION, {}]]],
      [
        'no CA, and a certificate that is required',
        [
          [VALIDATION, {}],
          [`${DOWNSTREAM_TLS}.require_client_certificate`, true],
        ],
      ],
    ] as const satisfies readonly (readonly [string, readonly Change[]])[]
  ).flatMap(([name, change]) =>
    [CONNECTION, FORWARDED].map((place): Fault => ({
      name: `${name}: ${place.kind}`,
      change: [...WRITTEN, ...change],
      rule: 'client-certificate-not-requested',
      severity: 'error',
      at: VALIDATION,
      ...wanting(place),
    })),
  ),
  {
    name: 'no TLS',
    change: [[`${FILTER_CHAIN}.transport_socket`]],
    rule: 'client-certificate-not-requested',
    severity: 'error',
    at: `${FILTER_CHAIN}.transport_socket`,
    ...wanting(CONNECTION),
  },
  {
    name: 'another listener asks',
    change: [
      ['static_resources.listeners[1]', partOf(LISTENER)],
      [`static_resources.listeners[1].name`, 'mutual'],
      [`static_resources.listeners[1].address.socket_address.port_value`, 8444],
      [VALIDATION],
    ],
    rule: 'client-certificate-not-requested',
    severity: 'warning',
    at: VALIDATION,
    ...wanting(CONNECTION),
  },
  ...[undefined, false].map((value): Fault => ({
    name: `client certificates are not forwarded, ${value}`,
    change: [[`${AUTHZ}.include_peer_certificate`, value]],
    rule: 'peer-certificate-missing',
    severity: 'error',
    at: `${AUTHZ}.include_peer_certificate`,
    ...wanting(CONNECTION),
  })),
  {
    name: 'certificates of any CA are accepted',
    change: [[VALIDATION, { trust_chain_verification: 'ACCEPT_UNTRUSTED' }]],
    rule: 'client-certificate-untrusted',
    severity: 'error',
    at: `${VALIDATION}.trust_chain_verification`,
    ...wanting(CONNECTION),
  },
]

const forgeable = (name: string, change: readonly Change[], at = DETAILS): Fault => ({
  name,
  change: [[CURRENT, { cert: true, chain: true }], ...change],
  rule: 'forwarded-certificate-forgeable',
  severity: 'error',
  at,
  ...wanting(FORWARDED),
})

const CONDITION_DETAILS = `${CONDITION}.typed_config.forward_client_cert_details`

const forwarded: readonly Fault[] = [
  ...['FORWARD_ONLY', 'ALWAYS_FORWARD_ONLY', 1, 4].map((value) =>
    forgeable(`${value}`, [[DETAILS, value]]),
  ),
  ...['FORWARD_ONLY', 'ALWAYS_FORWARD_ONLY'].map((value) =>
    forgeable(
      `${value} on a condition`,
      [
        [DETAILS, 'SANITIZE_SET'],
        [CONDITION, onCondition({ forward_client_cert_details: value })],
      ],
      CONDITION_DETAILS,
    ),
  ),
  forgeable('added to what callers wrote', [[DETAILS, 'APPEND_FORWARD'], ...FORWARDED_KEPT]),
  {
    ...forgeable('FORWARD_ONLY, where the last element counts', [[DETAILS, 'FORWARD_ONLY']]),
    ...wanting(FORWARDED_LAST),
  },
  ...['uri', 'dns'].flatMap((name) =>
    ['SANITIZE_SET', 'APPEND_FORWARD'].map((details): Fault => ({
      name: `${name} is written where the last element counts, ${details}`,
      change: [
        [DETAILS, details],
        [CURRENT, { cert: true, chain: true, subject: true, [name]: true }],
        ...FORWARDED_KEPT,
      ],
      rule: 'forwarded-certificate-ambiguous',
      severity: 'error',
      at: `${CURRENT}.${name}`,
      ...wanting(FORWARDED_LAST),
    })),
  ),
  ...['SANITIZE', undefined, 0].map((value): Fault => ({
    name: `what Envoy could say is removed, ${value}`,
    change: [[DETAILS, value]],
    rule: 'forwarded-certificate-removed',
    severity: 'error',
    at: DETAILS,
    ...wanting(FORWARDED),
  })),
  ...[undefined, {}, { chain: true, subject: true }, { cert: false, chain: true }].map(
    (value): Fault => ({
      name: `only ${JSON.stringify(value)} of the certificate is said`,
      change: [
        [DETAILS, 'SANITIZE_SET'],
        [CURRENT, value],
      ],
      rule: 'forwarded-certificate-empty',
      severity: 'error',
      at: `${CURRENT}.cert`,
      ...wanting(FORWARDED),
    }),
  ),
  {
    name: 'nothing of the certificate is added',
    change: [[DETAILS, 'APPEND_FORWARD']],
    rule: 'forwarded-certificate-empty',
    severity: 'error',
    at: `${CURRENT}.cert`,
    ...wanting(FORWARDED_LAST),
  },
  {
    name: 'nothing of the certificate is said on a condition',
    change: [...WRITTEN, [CONDITION, onCondition({ forward_client_cert_details: 'SANITIZE_SET' })]],
    rule: 'forwarded-certificate-empty',
    severity: 'error',
    at: `${CONDITION}.typed_config.set_current_client_cert_details.cert`,
    ...wanting(FORWARDED),
  },
  {
    name: 'no chain is said',
    change: [
      [DETAILS, 'SANITIZE_SET'],
      [CURRENT, { cert: true }],
    ],
    rule: 'forwarded-chain-missing',
    severity: 'warning',
    at: `${CURRENT}.chain`,
    ...wanting(FORWARDED),
  },
]

/** Client-Cert is trusted, with this listener. */
const believed = (name: string, severity: Severity, change: readonly Change[]): Fault => ({
  name,
  change: [...KEPT, ...change],
  rule: 'client-cert-header-forgeable',
  severity,
  at: EARLY,
  ...wanting(CLIENT_CERT),
})

const clientCert: readonly Fault[] = [
  believed('callers connect here', 'error', []),
  believed('callers connect here, who may have certificates', 'error', [
    [`${DOWNSTREAM_TLS}.require_client_certificate`, true],
    [VALIDATION],
  ]),
  believed('callers connect here: added beside what they sent', 'error', [
    [
      `${MUTATIONS}[30]`,
      { append: { header: { key: 'client-cert', value: ':AA==:' }, append_action: 1 } },
    ],
  ]),
  believed('callers connect here, and another header is written', 'error', [
    [`${MUTATIONS}[30]`, { append: { header: { key: 'x-other', value: 'a' }, append_action: 2 } }],
  ]),
  believed('a proxy in front is counted', 'warning', [[`${MANAGER}.xff_num_trusted_hops`, 1]]),
  believed('a proxy in front says who called', 'warning', [
    [
      `${MANAGER}.original_ip_detection_extensions`,
      [
        extension('xff', 'http.original_ip_detection.xff.v3.XffConfig', {
          xff_num_trusted_hops: 1,
        }),
      ],
    ],
    [`${MANAGER}.use_remote_address`, false],
  ]),
  believed('a proxy in front shows a certificate', 'warning', [
    [`${DOWNSTREAM_TLS}.require_client_certificate`, true],
  ]),
  believed('TLS ends in front', 'warning', [[`${FILTER_CHAIN}.transport_socket`]]),
  // Here a proxy in front writes it, and Envoy takes it away.
  ...[
    [`${MANAGER}.xff_num_trusted_hops`, 1] as const,
    [`${LISTENER}.address`, { pipe: { path: '/run/countersign/edge.sock' } }] as const,
  ].map((change): Fault => ({
    name: `Client-Cert of a proxy in front, with ${change[0]}`,
    change: [change, [`${MUTATIONS}[3]`]],
    rule: 'credential-removed',
    severity: 'error',
    at: `${REMOVAL}.remove`,
    ...wanting(CLIENT_CERT),
  })),
]

/** What can be wrong with client certificates as credentials. */
export const clientCertificateFaults: readonly Fault[] = [
  ...connection,
  ...forwarded,
  ...clientCert,
]
