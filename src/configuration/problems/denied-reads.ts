// Rules that deny reading objects of a Kubernetes API server and leave a verb whose answer is the object:
// what `countersign validate` and `countersign test` warn about. Pure; it decides no request.

import type { Locate } from '../../config/document.ts'
import { placedRules, type PlacedRule } from '../../authorize/placed-rules.ts'
import type { Problem } from '../../config/problem.ts'
import { RESOURCE_VERBS } from '../../authorize/request-values.ts'
import type { RuleConfig } from '../../authorize/schema.ts'
import type { Config } from '../schema.ts'
import { covers, mayTake, OTHER_ANSWERS, PLAIN_OBJECTS } from '../../authorize/rule-overlap.ts'

/**
 * Warns where the rules of a route of `kind: kubernetes` deny reading (`get`, `list`, `watch`), and a rule
 * behind or before them allows a verb that the API server answers with the same object.
 *
 * No warning where another `deny` takes that verb, where no rule allows it, where the rule that allows it
 * comes before and allows the reading too, or where it names both the verb and the resource: then it is
 * meant.
 */
export const deniedReadWarnings = (config: Config, locate: Locate): readonly Problem[] =>
  config.routes.flatMap(({ kind, authorize }, index) => {
    if (kind !== 'kubernetes') return []
    const rules = placedRules(authorize).filter(({ shadow }) => !shadow)
    return rules.flatMap((rule) => {
      const left = leftBy(rule, rules)
      const [first] = left
      if (first === undefined) return []
      const key = rule.rule.verbs === undefined ? 'methods' : 'verbs'
      const path = ['routes', index, 'authorize', ...rule.place, key]
      return [locate(path, messageFor(rule, left, first.by))]
    })
  })

/** A verb that is left, and the name of the rule that allows it. */
interface Left {
  readonly verb: string
  readonly by: string
}

const messageFor = ({ name, rule }: PlacedRule, left: readonly Left[], by: string): string => {
  const key = rule.verbs === undefined ? 'methods' : 'verbs'
  const verbs = left.map(({ verb }) => verb).join(', ')
  return `"${name}" denies reading, and "${by}" allows what the API server answers with the object, too (also with "dryRun=All"): ${verbs}. Leave "${key}" out, or deny these as well; where it is meant, allow it in a rule of its own that names the verbs and the resources`
}

const leftBy = (denial: PlacedRule, rules: readonly PlacedRule[]): readonly Left[] => {
  if (denial.effect !== 'deny') return []
  const denied = verbsOf(denial.rule)
  return [...answeringVerbs(denial.rule, denied)].flatMap((verb): readonly Left[] => {
    if (denied.has(verb)) return []
    const by = ruleThatAllows(verb, denial, denied, rules)
    return by === undefined ? [] : [{ verb, by: by.name }]
  })
}

/** The first rule that allows the verb for what the denial is about; `undefined` where none does. */
const ruleThatAllows = (
  verb: string,
  denial: PlacedRule,
  denied: ReadonlySet<string>,
  rules: readonly PlacedRule[],
): PlacedRule | undefined => {
  const position = rules.indexOf(denial)
  for (const [index, other] of rules.entries()) {
    const verbs = verbsOf(other.rule)
    if (!verbs.has(verb)) continue
    if (other.effect === 'deny') {
      if (covers(other.rule, denial.rule)) return undefined
      continue
    }
    const isException = index < position && READING.some((one) => denied.has(one) && verbs.has(one))
    if (isException || names(other.rule, verb, denial.rule)) continue
    if (mayTake(other.rule, denial.rule)) return other
  }
  return undefined
}

/** Whether the rule names the verb and every resource of the denial, so that the answer is meant. */
const names = (rule: RuleConfig, verb: string, { resources }: RuleConfig): boolean =>
  rule.verbs?.includes(verb) === true &&
  resources !== undefined &&
  resources.every((resource) => rule.resources?.includes(resource) === true)

const READING = ['get', 'list', 'watch']

// RFC 9110 §9.3 and apiserver's RequestInfo: the verbs that a method can become.
const VERBS_OF: Readonly<Record<string, readonly string[]>> = {
  GET: READING,
  HEAD: READING,
  POST: ['create'],
  PUT: ['update'],
  PATCH: ['patch'],
  DELETE: ['delete', 'deletecollection'],
}

/** The verbs for resources that the rule takes. */
const verbsOf = ({ verbs, methods }: RuleConfig): ReadonlySet<string> => {
  const named = verbs === undefined || verbs.includes('*') ? RESOURCE_VERBS : new Set(verbs)
  if (methods === undefined) return named
  const possible = new Set(methods.flatMap((method) => VERBS_OF[method] ?? []))
  return named.intersection(possible)
}

/**
 * The verbs that the API server answers with the object that the rule keeps from being read
 * (k8s.io/apiserver, pkg/endpoints/handlers):
 *
 * - `patch`: the object as it is afterwards, by a patch of nothing as it was before.
 * - `delete`: a Status, or the object where its deletion waits for a finalizer, which
 *   `propagationPolicy=Foreground` adds.
 * - `deletecollection`: the list of what was deleted.
 * - `update`: what the caller sent, and what only the `status` of the resource may change; of the
 *   subresource `status` all but that.
 *
 * `create` is answered with what the caller sent.
 */
const answeringVerbs = (rule: RuleConfig, denied: ReadonlySet<string>): ReadonlySet<string> => {
  if (!READING.some((verb) => denied.has(verb)) || !speaksOfResources(rule)) return new Set()
  // Who may get an object by its name is kept from lists of them alone.
  if (!denied.has('get')) return new Set(['list', 'watch', 'deletecollection'])
  const { resources = ['*'] } = rule
  const verbs = new Set<string>()
  for (const pattern of resources) {
    const [resource = '', subresource] = pattern.split('/')
    const whole = isReplacedWhole(resource, rule)
    for (const verb of subresource === undefined ? OF_OBJECTS : ofSubresource(subresource)) {
      if (verb !== 'update' || !whole) verbs.add(verb)
    }
  }
  return verbs
}

const OF_OBJECTS = ['list', 'watch', 'patch', 'update', 'delete', 'deletecollection']

const ofSubresource = (subresource: string): readonly string[] =>
  OTHER_ANSWERS.has(subresource) ? [] : ['patch', 'update']

/** Whether the answer to an update is what the client sent and nothing else. */
const isReplacedWhole = (resource: string, { apiGroups = [''] }: RuleConfig): boolean =>
  PLAIN_OBJECTS.has(resource) && apiGroups.every((group) => group === '')

/** Whether requests for resources are meant, and not paths such as `/metrics`. */
const speaksOfResources = ({
  resources,
  apiGroups,
  namespaces,
  names: objects,
  paths,
}: RuleConfig) =>
  [resources, apiGroups, namespaces, objects].some((key) => key !== undefined) ||
  paths === undefined ||
  paths.some((path) => /^\/apis?\//.test(path))
