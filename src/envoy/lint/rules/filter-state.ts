// Rules about set_filter_state, which passes the certificate handle of authz to the upstream connection. Every
// mistake is silent: the upstream receives the certificate of another user, or none.

import { when, type Hit, type Rule } from '../rule.ts'
import { extensionIn, isKind, KINDS } from '../view/extension.ts'
import type { Setting } from '../view/setting.ts'
import { certificateUpstreamsFrom, guardsOf } from '../view/site.ts'
import type { ChainSubject } from './chain.ts'

const OBJECT_KEY = 'envoy.tls.certificate_mappers.on_demand_secret'
const FACTORY = 'envoy.hashable_string'
const FORMAT = '%DYNAMIC_METADATA(envoy.filters.http.ext_authz:upstream_secret)%'

/** What callers choose. */
const FROM_REQUEST =
  /%(REQ|REQUEST_HEADER|REQ_WITHOUT_QUERY|QUERY_PARAM|QUERY_PARAMS|PATH|REQUESTED_SERVER_NAME)\b/

/** A rule about one field of the object. */
const each =
  (field: string, isBroken: (setting: Setting) => boolean) =>
  (subject: ChainSubject): readonly Hit[] =>
    objectsIn(subject)
      .ours.map(({ object }) => object.get(field))
      .flatMap((at) => when(isBroken(at), at))

/** A rule about the text that the value is made from. */
const formats =
  (isBroken: (format: string) => boolean) =>
  (subject: ChainSubject): readonly Hit[] =>
    objectsIn(subject).ours.flatMap((one) => {
      const { at, text } = formatOf(one)
      return when(isBroken(text), at)
    })

/** Rules about chains of filters whose requests may go to a certificate upstream. */
export const filterStateRules: readonly Rule<ChainSubject>[] = [
  {
    id: 'filter-state-missing',
    severity: 'error',
    problem: 'no filter state selects the client certificate for the upstream',
    risk: 'every request uses the default handle, which is refused: the upstream cannot be reached',
    remedy: `envoy.filters.http.set_filter_state behind ext_authz, with object_key: ${OBJECT_KEY}`,
    find: (subject) => {
      const { ours, misspelt } = objectsIn(subject)
      return when(isNeeded(subject) && ours.length + misspelt.length === 0, subject.chain.at)
    },
  },
  {
    id: 'filter-state-key',
    severity: 'error',
    problem:
      'wrong object_key: the certificate selector of the upstream TLS context does not read it',
    risk: 'every request uses the default handle, which is refused: the upstream cannot be reached',
    remedy: `object_key: ${OBJECT_KEY}`,
    find: (subject) => {
      const { ours, misspelt } = objectsIn(subject)
      if (!isNeeded(subject) || ours.length > 0) return []
      return misspelt.map(({ object }) => ({ at: object.get('object_key') }))
    },
  },
  {
    id: 'filter-state-order',
    severity: 'error',
    problem: 'set_filter_state is not between ext_authz and the router',
    risk: 'authz has not answered yet, so the default handle is used, which is refused',
    remedy: 'set_filter_state behind ext_authz and before envoy.filters.http.router',
    find: (subject) => {
      const { chain, site } = subject
      const last = guardsOf(site, chain).at(-1)?.index ?? -1
      const router = chain.filters.findIndex((filter) => isKind(filter, KINDS.router))
      return objectsIn(subject)
        .ours.filter(({ index }) => index < last || (router !== -1 && index > router))
        .map(({ filter }) => ({ at: filter }))
    },
  },
  {
    id: 'filter-state-factory',
    severity: 'error',
    problem: 'the filter state is not hashable, so identities share upstream connections',
    risk: 'requests are sent over connections with the certificate of another user, and answered with 200 (measured: 19 of 40)',
    remedy: `factory_key: ${FACTORY}`,
    find: each('factory_key', (setting) => setting.text !== FACTORY),
  },
  {
    id: 'filter-state-not-shared',
    severity: 'error',
    problem: 'the filter state is not shared with exactly the upstream connection',
    risk: 'the connection does not receive the handle, or passes it to the next hop',
    remedy: 'shared_with_upstream: ONCE',
    find: each(
      'shared_with_upstream',
      (setting) => setting.choice(['NONE', 'ONCE', 'TRANSITIVE']) !== 'ONCE',
    ),
  },
  {
    id: 'filter-state-when-empty',
    severity: 'error',
    problem: 'a request without a certificate handle still gets a filter state',
    risk: 'all such requests share one connection pool with an empty handle',
    remedy: 'skip_if_empty: true',
    find: each('skip_if_empty', (setting) => !setting.flag),
  },
  {
    id: 'filter-state-dash',
    severity: 'error',
    problem: 'without a certificate handle, Envoy writes "-" in its place',
    risk: 'Envoy fetches a certificate named "-", and all such requests share its connections',
    remedy: 'format_string: { omit_empty_values: true, … }',
    find: (subject) =>
      objectsIn(subject).ours.flatMap(({ object }) => {
        const at = object.get('format_string', 'omit_empty_values')
        return when(!at.flag, at)
      }),
  },
  {
    id: 'filter-state-whitespace',
    severity: 'error',
    problem: 'the certificate handle is surrounded by white space, such as a trailing newline',
    risk: 'the signer does not know the handle: the upstream cannot be reached',
    remedy: `inline_string: "${FORMAT}"`,
    find: formats((format) => format !== FORMAT && format.trim() === FORMAT),
  },
  {
    id: 'filter-state-from-request',
    severity: 'error',
    problem: 'the certificate handle is taken from the request',
    risk: 'a caller who learns a handle obtains the certificate of another user',
    remedy: `inline_string: "${FORMAT}"`,
    find: formats((format) => FROM_REQUEST.test(format)),
  },
  {
    id: 'filter-state-source',
    severity: 'error',
    problem: 'the certificate handle is not the one that authz returned',
    risk: 'Envoy fetches certificates that authz did not grant, or not to this caller',
    remedy: `inline_string: "${FORMAT}"`,
    find: formats((format) => format.trim() !== FORMAT && !FROM_REQUEST.test(format)),
  },
  {
    id: 'filter-state-of-connection',
    severity: 'error',
    problem: 'the certificate handle is set once for a connection',
    risk: 'a connection may carry requests of several users, who then share a certificate',
    remedy: 'no envoy.filters.network.set_filter_state with this object_key',
    find: ({ manager, chain }) =>
      chain.upgrade === undefined
        ? connectionObjects(manager.filterChain)
            .map((object) => object.get('object_key'))
            .filter(({ text }) => text === OBJECT_KEY)
            .map((at) => ({ at }))
        : [],
  },
]

/** An object that a set_filter_state filter sets. */
interface StateObject {
  /** The filter and its place in the chain. */
  readonly filter: Setting
  readonly index: number
  /** The FilterStateValue message. */
  readonly object: Setting
}

const isNeeded = ({ site, manager, chain }: ChainSubject): boolean =>
  guardsOf(site, chain).length > 0 && certificateUpstreamsFrom(site, manager).length > 0

/** The objects with the right name, and those that look as if they were meant to have it. */
const objectsIn = (
  subject: ChainSubject,
): { readonly ours: readonly StateObject[]; readonly misspelt: readonly StateObject[] } => {
  if (!isNeeded(subject)) return { ours: [], misspelt: [] }
  const all = subject.chain.filters.flatMap((extension, index) =>
    isKind(extension, KINDS.filterState)
      ? extension.config
          .get('on_request_headers')
          .items()
          .map((object): StateObject => ({ filter: extension.at, index, object }))
      : [],
  )
  const keyOf = ({ object }: StateObject): string => object.get('object_key').text
  return {
    ours: all.filter((one) => keyOf(one) === OBJECT_KEY),
    misspelt: all.filter(
      (one) =>
        /on_?demand|certificate_?mapper/i.test(keyOf(one)) ||
        formatOf(one).text.includes('upstream_secret'),
    ),
  }
}

/** The format and its place; empty when it is in a file or not a string. */
const formatOf = ({ object }: StateObject): { readonly at: Setting; readonly text: string } => {
  const format = object.get('format_string')
  const source = format.get('text_format_source')
  const bytes = source.get('inline_bytes')
  if (bytes.isSet) return { at: bytes, text: Buffer.from(bytes.text, 'base64').toString() }
  const [at] = [source.get('inline_string'), format.get('text_format')].filter(({ isSet }) => isSet)
  return at === undefined ? { at: format, text: '' } : { at, text: at.text }
}

/** The objects that the filters of a connection set. */
const connectionObjects = (filterChain: Setting): readonly Setting[] =>
  filterChain
    .get('filters')
    .items()
    .map(extensionIn)
    .filter((filter) => isKind(filter, KINDS.connectionFilterState))
    .flatMap(({ config }) => config.entries().flatMap(([, objects]) => objects.items()))
