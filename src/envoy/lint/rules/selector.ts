// Rules about the on-demand certificate selector: how Envoy requests the certificate of an identity,
// and what it does without one.

import { when, type Rule } from '../rule.ts'
import { extensionIn, isKind, KINDS } from '../view/extension.ts'
import type { Setting } from '../view/setting.ts'
import type { CertificateSubject } from './certificate-upstream.ts'

const API_TYPES = [
  'DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE',
  'REST',
  'GRPC',
  'DELTA_GRPC',
  '4',
  'AGGREGATED_GRPC',
  'AGGREGATED_DELTA_GRPC',
] as const

// What authz answers is a sealed grant in base64url, longer than this.
const POSSIBLE_HANDLE = /^[A-Za-z0-9_-]{40,}$/

/** Rules about certificate selectors. */
export const selectorRules: readonly Rule<CertificateSubject>[] = [
  {
    id: 'certificates-over-ads',
    severity: 'error',
    problem: 'certificates are fetched over the aggregated stream',
    risk: 'a resource name that is in use elsewhere is never answered: all handshakes hang, and no statistic shows it',
    remedy: 'config_source: { api_config_source: { api_type: DELTA_GRPC, … } }',
    find: ({ upstream }) => {
      const source = sourceOf(upstream.selector.config)
      const type = source.get('api_config_source', 'api_type')
      return [
        ...when(source.get('ads').isSet, source.get('ads')),
        ...when(type.choice(API_TYPES).startsWith('AGGREGATED_'), type),
      ]
    },
  },
  {
    id: 'certificates-not-delta',
    severity: 'error',
    problem: 'certificates are not fetched over delta SDS',
    risk: 'the signer cannot refuse or withdraw a certificate: handshakes hang until they time out',
    remedy: 'config_source: { api_config_source: { api_type: DELTA_GRPC, … } }',
    find: ({ upstream }) => {
      const source = sourceOf(upstream.selector.config)
      const type = source.get('api_config_source', 'api_type')
      const chosen = type.choice(API_TYPES)
      const other = chosen !== 'DELTA_GRPC' && !chosen.startsWith('AGGREGATED_')
      return when(other && !source.get('ads').isSet, type)
    },
  },
  {
    id: 'signer-shares-authz',
    severity: 'error',
    problem: 'certificates are fetched through the cluster of authz',
    risk: 'every certificate occupies a request there: at the limit, authz is no longer called either',
    remedy: 'a cluster of its own for the signer',
    find: ({ site, upstream }) =>
      upstream.signers.filter(({ text }) => site.authzClusters.has(text)).map((at) => ({ at })),
  },
  {
    id: 'certificate-mapper',
    severity: 'error',
    problem: 'the certificate handle is not taken from the filter state',
    risk: 'all users share a certificate, or callers choose one',
    remedy:
      'certificate_mapper: { name: envoy.tls.upstream_certificate_mappers.filter_state_override, typed_config: { …, default_value: deny.no-identity } }',
    find: ({ upstream }) => {
      const { mapper, at } = mapperOf(upstream.selector.config)
      return when(mapper === undefined, at)
    },
  },
  {
    id: 'default-certificate',
    severity: 'error',
    problem: 'the handle for requests without an identity may name a certificate',
    risk: 'requests without an identity, health checks included, present the certificate of a user',
    remedy: 'default_value: deny.no-identity',
    find: ({ upstream }) => {
      const { mapper } = mapperOf(upstream.selector.config)
      if (mapper === undefined) return []
      const at = mapper.get('default_value')
      const name = at.text.trim()
      return when(name === '' || name === '-' || POSSIBLE_HANDLE.test(name), at)
    },
  },
]

const sourceOf = (selector: Setting): Setting => selector.get('config_source')

/** The configuration of the mapper, if it is the one that reads the filter state. */
const mapperOf = (
  selector: Setting,
): { readonly mapper: Setting | undefined; readonly at: Setting } => {
  const at = selector.get('certificate_mapper')
  const mapper = extensionIn(at)
  return { mapper: isKind(mapper, KINDS.certificateMapper) ? mapper.config : undefined, at }
}
