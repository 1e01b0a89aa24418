// Matchers of the request as a Kubernetes API server reads it. An `allow` takes what is written and
// nothing else; a `deny` takes everything that would reach what is written: a rule that refuses secrets
// must not be got round by asking for all of them, or for a part of one.

import type { ImpersonateConfig, RuleConfig } from '../schema.ts'
import type { Impersonation } from '../../request/kubernetes/impersonation.ts'
import type { KubernetesRequest } from '../../request/kubernetes/request-info.ts'
import { indexKeys, nameMatcher, type Predicate } from '../../request/names.ts'
import type { Matcher } from '../matcher.ts'
import type { Question } from '../question.ts'
import { indexedBy } from './caller.ts'

/** The matchers `verbs`, `apiGroups`, `resources`, `namespaces`, `names`, `impersonate`. */
export const kubernetesMatchers = (rule: RuleConfig): readonly Matcher[] => {
  const { verbs, apiGroups, resources, namespaces, names } = rule
  const refuses = rule.deny !== undefined
  const matchers: Matcher[] = []
  if (verbs !== undefined && !verbs.includes('*')) matchers.push(verbsMatcher(verbs, refuses))
  if (apiGroups !== undefined) matchers.push(apiGroupsMatcher(apiGroups))
  if (resources !== undefined) matchers.push(resourcesMatcher(resources, refuses))
  if (namespaces !== undefined) matchers.push(namespacesMatcher(namespaces, refuses))
  if (names !== undefined) matchers.push(namesMatcher(names, refuses))
  const impersonate = impersonateMatcher(rule.impersonate, refuses)
  return impersonate === undefined ? matchers : [...matchers, impersonate]
}

/** Compiles on routes of `kind: kubernetes` only, where every question has it. */
const kubernetesOf = ({ kubernetes }: Question): KubernetesRequest => {
  if (kubernetes === undefined) throw new TypeError('not read as a Kubernetes request')
  return kubernetes
}

const verbsMatcher = (wanted: readonly string[], refuses: boolean): Matcher => {
  const verbs = new Set(wanted)
  const test = (kubernetes: KubernetesRequest): boolean => {
    const named = verbs.has(kubernetes.verb)
    if (!entersPod(kubernetes)) return named
    return refuses ? named || verbs.has('create') : named && verbs.has('create')
  }
  return {
    key: 'verbs',
    wanted,
    test: (question) => test(kubernetesOf(question)),
    got(question) {
      const kubernetes = kubernetesOf(question)
      return entersPod(kubernetes) ? [kubernetes.verb, 'create'] : kubernetes.verb
    },
    indexed: indexedBy('verb', refuses && verbs.has('create') ? [...wanted, 'get'] : wanted),
  }
}

const ENTRANCES: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward'])

/**
 * As a WebSocket, which begins with GET, it is the same as by SPDY, which begins with POST: the API
 * server asks for `create` either way, since 1.35 (pkg/registry/core/pod/rest/subresources.go).
 */
const entersPod = ({ verb, apiGroup, resource, subresource }: KubernetesRequest): boolean =>
  verb === 'get' && apiGroup === '' && resource === 'pods' && ENTRANCES.has(subresource)

const apiGroupsMatcher = (wanted: readonly string[]): Matcher => {
  const matches = nameMatcher(wanted)
  return {
    key: 'apiGroups',
    wanted,
    test(question) {
      const { isResource, apiGroup } = kubernetesOf(question)
      return isResource && matches(apiGroup)
    },
    got: (question) => kubernetesOf(question).apiGroup,
    indexed: indexedBy('apiGroup', indexKeys(wanted)),
  }
}

const resourcesMatcher = (wanted: readonly string[], refuses: boolean): Matcher => {
  const patterns = wanted.map((pattern) => {
    const [resource = '', subresource] = pattern.split('/')
    return {
      matchesResource: nameMatcher([resource]),
      matchesSubresource: subresourceMatcher(subresource, refuses),
    }
  })
  return {
    key: 'resources',
    wanted,
    test(question) {
      const { isResource, resource, subresource } = kubernetesOf(question)
      if (!isResource) return false
      return patterns.some(
        ({ matchesResource, matchesSubresource }) =>
          matchesResource(resource) && matchesSubresource(subresource),
      )
    },
    got(question) {
      const { isResource, resource, subresource } = kubernetesOf(question)
      if (!isResource) return undefined
      return subresource === '' ? resource : `${resource}/${subresource}`
    },
    indexed: indexedBy('resource', indexKeys(wanted.map((pattern) => pattern.split('/')[0] ?? ''))),
  }
}

const subresourceMatcher = (pattern: string | undefined, refuses: boolean): Predicate => {
  if (pattern === undefined) return refuses ? () => true : (name) => name === ''
  const matches = nameMatcher([pattern])
  return (name) => name !== '' && matches(name)
}

// What these verbs reach is not named in the request.
const COLLECTION_VERBS: ReadonlySet<string> = new Set(['list', 'watch', 'deletecollection'])

const reachesAll = ({ isResource, verb }: KubernetesRequest): boolean =>
  isResource && COLLECTION_VERBS.has(verb)

const namespacesMatcher = (wanted: readonly string[], refuses: boolean): Matcher => {
  const matches = nameMatcher(wanted)
  return {
    key: 'namespaces',
    wanted,
    test(question) {
      const kubernetes = kubernetesOf(question)
      const { isResource, namespace } = kubernetes
      if (!isResource) return false
      return matches(namespace) || (refuses && namespace === '' && reachesAll(kubernetes))
    },
    got: (question) => kubernetesOf(question).namespace,
    indexed: indexedBy('namespace', indexKeys(refuses ? [...wanted, ''] : wanted)),
  }
}

const namesMatcher = (wanted: readonly string[], refuses: boolean): Matcher => {
  const matches = nameMatcher(wanted)
  return {
    key: 'names',
    wanted,
    test(question) {
      const kubernetes = kubernetesOf(question)
      const { isResource, name } = kubernetes
      if (!isResource) return false
      if (matches(name)) return true
      if (!refuses) return false
      return name === '' ? reachesAll(kubernetes) : matches(proxiedName(kubernetes))
    },
    got: (question) => kubernetesOf(question).name,
  }
}

/**
 * The object that is proxied to: there, the name may have a scheme and a port around it, such as
 * `https:web:8443` (apimachinery, pkg/util/net/port_split.go).
 */
const proxiedName = ({ verb, subresource, name }: KubernetesRequest): string => {
  if (verb !== 'proxy' && subresource !== 'proxy') return name
  const [first = '', second = '', ...rest] = name.split(':', 4)
  return rest.length === 0 ? first : second
}

/** Without the key, an `allow` takes no impersonation, and a `deny` does not look. */
const impersonateMatcher = (
  wanted: ImpersonateConfig | undefined,
  refuses: boolean,
): Matcher | undefined => {
  if (wanted === undefined && refuses) return undefined
  const matches = compileImpersonate(wanted, refuses)
  return {
    key: 'impersonate',
    wanted: wanted ?? 'nobody',
    test: (question) => matches(kubernetesOf(question).impersonation),
    got: (question) => kubernetesOf(question).impersonation ?? 'nobody',
  }
}

const compileImpersonate = (
  wanted: ImpersonateConfig | undefined,
  refuses: boolean,
): ((asked: Impersonation | undefined) => boolean) => {
  if (wanted === undefined) return (asked) => asked === undefined
  return refuses ? touches(wanted) : staysWithin(wanted)
}

/** For an `allow`: everything that is requested must be in the rule. */
const staysWithin = ({
  users = ['*'],
  groups = [],
  uids = [],
  extra = {},
}: ImpersonateConfig): ((asked: Impersonation | undefined) => boolean) => {
  const isUser = unreservedMatcher(users)
  const isGroup = unreservedMatcher(groups)
  const isUid = unreservedMatcher(uids)
  const isValue = valueMatchers(extra, unreservedMatcher)
  return (asked) =>
    asked !== undefined &&
    isUser(asked.user) &&
    asked.groups.every(isGroup) &&
    (asked.uid === undefined || isUid(asked.uid)) &&
    [...asked.extra].every(([key, values]) => values.every(isValue(key)))
}

/**
 * For a `deny`: of each thing in the rule, one must be requested. One of several groups
 * is enough, or a client that adds another one would evade the rule.
 */
const touches = ({
  users,
  groups,
  uids,
  extra,
}: ImpersonateConfig): ((asked: Impersonation | undefined) => boolean) => {
  const isUser = users && nameMatcher(users)
  const isGroup = groups && nameMatcher(groups)
  const isUid = uids && nameMatcher(uids)
  const isValue = extra && valueMatchers(extra, nameMatcher)
  return (asked) =>
    asked !== undefined &&
    (isUser === undefined || isUser(asked.user)) &&
    (isGroup === undefined || asked.groups.some(isGroup)) &&
    (isUid === undefined || (asked.uid !== undefined && isUid(asked.uid))) &&
    (isValue === undefined ||
      [...asked.extra].some(([key, values]) => values.some(isValue(key.toLowerCase()))))
}

/** By key, in lower case: keys arrive in headers, whose case is not significant. */
const valueMatchers = (
  extra: NonNullable<ImpersonateConfig['extra']>,
  matcher: (patterns: readonly string[]) => Predicate,
): ((key: string) => Predicate) => {
  const matchers = new Map(
    Object.entries(extra).map(([key, patterns]) => [key.toLowerCase(), matcher(patterns)]),
  )
  return (key) => matchers.get(key) ?? (() => false)
}

/** Reserved names match only patterns that name them: `*` does not match `system:masters`. */
const unreservedMatcher = (patterns: readonly string[]): Predicate => {
  const matches = nameMatcher(patterns)
  const matchesReserved = nameMatcher(patterns.filter((pattern) => pattern.startsWith('system:')))
  return (name) => (name.startsWith('system:') ? matchesReserved(name) : matches(name))
}
