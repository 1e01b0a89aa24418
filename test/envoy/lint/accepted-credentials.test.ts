// Ways to bring credentials to authz that differ from those that the lint proposes, and are as good.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  AUTHZ,
  changed,
  DOWNSTREAM_TLS,
  EXPECTED,
  extension,
  FILTERS,
  LISTENER,
  MANAGER,
  partOf,
  type Change,
  type Fault,
} from './corpus/case.ts'
import {
  API_KEY,
  CLIENT_CERT,
  CONDITION,
  CONNECTION,
  CURRENT,
  DETAILS,
  FORWARDED,
  FORWARDED_KEPT,
  FORWARDED_LAST,
  inFront,
  KEPT,
  MUTATIONS,
  mutating,
  onCondition,
  PROOF,
  QUERY_KEY,
  removing,
  TOKEN,
  VALIDATION,
  wanting,
  WRITTEN,
} from './corpus/credentials.ts'
import { found } from './found.ts'

const RULES = `${AUTHZ}.decoder_header_mutation_rules`
const SDS = { name: 'callers', sds_config: { path_config_source: { path: '/pki/sds.yaml' } } }

interface Case {
  readonly name: string
  readonly change: readonly Change[]
  readonly expected: Fault['expected']
}

const given = (
  name: string,
  { expected }: Pick<Fault, 'expected'>,
  ...change: readonly Change[]
): Case => ({ name, change, expected })

/** Envoy itself writes Client-Cert. */
const writing = (action: string): object => ({
  append: { header: { key: 'Client-Cert', value: ':AA==:' }, append_action: action },
})

const connection: readonly Case[] = [
  given('a client certificate of the connection', wanting(CONNECTION)),
  given(
    'a CA from SDS',
    wanting(CONNECTION),
    [VALIDATION],
    [`${DOWNSTREAM_TLS}.common_tls_context.validation_context_sds_secret_config`, SDS],
  ),
  given(
    'a CA from SDS, and more',
    wanting(CONNECTION),
    [VALIDATION],
    [
      `${DOWNSTREAM_TLS}.common_tls_context.combined_validation_context`,
      { default_validation_context: {}, validation_context_sds_secret_config: SDS },
    ],
  ),
  given('certificates that are known one by one', wanting(CONNECTION), [
    VALIDATION,
    { verify_certificate_hash: ['aa'.repeat(32)] },
  ]),
  given('certificates that callers must have', wanting(CONNECTION), [
    `${DOWNSTREAM_TLS}.require_client_certificate`,
    true,
  ]),
  given('TLS in a PROXY protocol', wanting(CONNECTION), [
    `${LISTENER}.filter_chains[0].transport_socket`,
    extension('proxy', 'transport_sockets.tcp_stats.v3.Config', {
      transport_socket: partOf(`${LISTENER}.filter_chains[0].transport_socket`),
    }),
  ]),
]

const forwarded: readonly Case[] = [
  given('what Envoy says of the certificate', wanting(FORWARDED), ...WRITTEN),
  given('the same by number', wanting(FORWARDED), ...WRITTEN, [DETAILS, 3]),
  given('no early removal of it', wanting(FORWARDED), ...WRITTEN, ...FORWARDED_KEPT),
  given('no chain where a file has it', wanting({ ...FORWARDED, chain: false }), ...WRITTEN, [
    CURRENT,
    { cert: true },
  ]),
  given(
    'the last element counts',
    wanting(FORWARDED_LAST),
    ...WRITTEN,
    [DETAILS, 'APPEND_FORWARD'],
    ...FORWARDED_KEPT,
  ),
  given('appended to nothing', wanting(FORWARDED), ...WRITTEN, [DETAILS, 'APPEND_FORWARD']),
  given('said on a condition', wanting(FORWARDED), [
    CONDITION,
    onCondition({
      forward_client_cert_details: 'SANITIZE_SET',
      set_current_client_cert_details: { cert: true, chain: true },
    }),
  ]),
  given(
    'the header for callers from inside, whom it is said of later',
    wanting(FORWARDED),
    ...WRITTEN,
    [`${MANAGER}.route_config.internal_only_headers`, ['x-forwarded-client-cert']],
  ),
  given('unsaid on a condition', wanting(FORWARDED), ...WRITTEN, [CONDITION, onCondition({})]),
  given(
    'a filter in front that removes another',
    wanting(FORWARDED),
    ...WRITTEN,
    mutating({
      remove: 'x-other',
    }),
  ),
]

const clientCert: readonly Case[] = [
  given('Client-Cert where callers connect, removed', wanting(CLIENT_CERT)),
  given('a UNIX socket behind a proxy', wanting(CLIENT_CERT), ...KEPT, [
    `${LISTENER}.address`,
    { pipe: { path: '/run/countersign/edge.sock' } },
  ]),
  given(
    'a listener of this Envoy',
    wanting(CLIENT_CERT),
    ...KEPT,
    [`${LISTENER}.address`],
    [`${LISTENER}.internal_listener`, {}],
  ),
  ...['OVERWRITE_IF_EXISTS_OR_ADD', 'OVERWRITE_IF_EXISTS'].map((action) =>
    given(`Client-Cert of Envoy itself, ${action}`, wanting(CLIENT_CERT), ...KEPT, [
      `${MUTATIONS}[30]`,
      writing(action),
    ]),
  ),
  given(
    'Client-Cert removed and written',
    wanting(CLIENT_CERT),
    [`${MUTATIONS}[30]`, writing('OVERWRITE_IF_EXISTS_OR_ADD')],
    [`${MUTATIONS}[3]`],
    [`${MANAGER}.xff_num_trusted_hops`, 1],
  ),
  given(
    'the filter for Client-Cert',
    wanting(CLIENT_CERT),
    ...KEPT,
    inFront(extension('rfc9440', 'filters.http.client_cert.v3alpha.ClientCertConfig')),
  ),
  given(
    'a script for Client-Cert',
    wanting(CLIENT_CERT),
    ...KEPT,
    inFront(
      extension('script', 'filters.http.lua.v3.Lua', {
        default_source_code: { inline_string: 'handle:headers():replace("Client-Cert", cert)' },
      }),
    ),
  ),
]

const keys: readonly Case[] = [
  given('keys that a filter removes behind ext_authz', wanting(API_KEY), [
    FILTERS,
    [0, 1, 2, 3].flatMap((index) => [
      partOf(`${FILTERS}[${index}]`),
      ...(index === 0 ? [removing('x-api-key')] : []),
    ]),
  ]),
  given(
    'a key in a header that Countersign may set, and that is not removed',
    wanting({ kind: 'header', name: 'x-cert-key' }),
    [`${MUTATIONS}[8]`],
  ),
  given('keys in the query, and no rules', wanting(QUERY_KEY), [
    RULES,
    { allow_envoy: true, disallow_is_error: true },
  ]),
  given('keys, tokens and proofs in headers', wanting(API_KEY, TOKEN, PROOF)),
  given('keys in the query, in one spelling of the rule', wanting(QUERY_KEY), [
    `${RULES}.allow_expression`,
    { regex: '^:path$' },
  ]),
  given('keys in the query, in another', wanting(QUERY_KEY), [
    `${RULES}.allow_expression`,
    { regex: ':path|x-other' },
  ]),
  given('keys in the query, and all pseudo-headers', wanting(QUERY_KEY), [
    `${RULES}.disallow_system`,
    false,
  ]),
  given('keys that are removed when the request is forwarded', wanting(API_KEY), [
    `${MANAGER}.route_config.request_headers_to_remove`,
    ['x-api-key'],
  ]),
  given('other headers are for callers from inside', wanting(API_KEY), [
    `${MANAGER}.route_config.internal_only_headers`,
    ['x-other'],
  ]),
  given(
    'keys that a filter writes anew',
    wanting(API_KEY),
    mutating(
      { remove: 'x-api-key' },
      { append: { header: { key: 'X-Api-Key', value: 'k' }, append_action: 2 } },
    ),
  ),
]

describe('nothing is found with', () => {
  for (const { name, change, expected } of [...connection, ...forwarded, ...clientCert, ...keys]) {
    it(name, () => {
      const text = JSON.stringify(changed(change))
      assert.deepEqual(found(text, { expected: { ...EXPECTED, ...expected } }), [])
    })
  }
})

describe('a condition that a control plane packed', () => {
  it('is read as well', () => {
    const fields = { forward_client_cert_details: 'ALWAYS_FORWARD_ONLY' }
    const packed = {
      '@type': 'type.googleapis.com/xds.type.v3.TypedStruct',
      type_url: 'type.googleapis.com/x.ForwardClientCertConfig',
      value: fields,
    }
    const text = JSON.stringify(
      changed([...WRITTEN, [CONDITION, { name: 'condition', typed_config: packed }]]),
    )
    const all = found(text, { expected: { ...EXPECTED, ...wanting(FORWARDED).expected } })
    assert.deepEqual(all, [
      {
        rule: 'forwarded-certificate-forgeable',
        severity: 'error',
        at: `${CONDITION}.typed_config.value.forward_client_cert_details`,
      },
    ])
  })
})

describe('a change of the path that is dropped', () => {
  it('is reported in addition to the missing log', () => {
    const text = JSON.stringify(changed([[`${RULES}.disallow_is_error`]]))
    const all = found(text, { expected: { ...EXPECTED, ...wanting(QUERY_KEY).expected } })
    assert.deepEqual(all, [
      { rule: 'path-not-changeable', severity: 'error', at: `${RULES}.allow_expression` },
      { rule: 'mutation-rules-silent', severity: 'warning', at: `${RULES}.disallow_is_error` },
    ])
  })
})
