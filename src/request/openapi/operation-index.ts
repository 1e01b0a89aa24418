// Which operation a request is for. A caller must not bypass a rule by a path that authz
// reads as one operation and the upstream as another: such a path is `ambiguous`.

import { fold, looseSegments } from '../loose-path.ts'
import type { Operation, OperationMatch } from './operation.ts'
import { SegmentTree, type Leaf } from './segment-tree.ts'
import { divide, hasMoreThanPath, parseTemplate, type Segment } from './template.ts'
import { pointerOf } from './value.ts'

/** What operation a request is for. */
export type OperationFinding =
  | ({ readonly outcome: 'matched' } & OperationMatch)
  /** No operation of the document, however the path is read. */
  | { readonly outcome: 'undefined' }
  /** It depends on who reads the path. */
  | { readonly outcome: 'ambiguous' }

const UNDEFINED: OperationFinding = { outcome: 'undefined' }
const AMBIGUOUS: OperationFinding = { outcome: 'ambiguous' }

/** The trees of one method. */
interface Trees {
  /** Paths as they are written. */
  readonly exact: SegmentTree
  /** Paths as a careless reader takes them; see {@link loosePath}. */
  readonly loose: SegmentTree
}

/**
 * The operations of a document, by method and path.
 *
 * Of several templates that fit, the one counts that is at least as specific as each other in every
 * segment. Where there is none (`/users/{id}/keys` and `/users/me/{part}` for `/users/me/keys`), the
 * path is ambiguous. GitHub's document has 43 such pairs, so the document is not refused for them.
 * Neither is it for operations that no path distinguishes: templates that differ only in their parameters'
 * names, or have more than a path. Every path of such a template is ambiguous.
 */
export class OperationIndex {
  readonly #methods = new Map<string, Trees>()
  readonly #ignoresTrailingSlash: boolean
  /** By the operation that is in the trees: those that no path distinguishes. */
  readonly #indistinct = new Map<Operation, Set<Operation>>()

  /**
   * @param base where the templates begin: empty, or a path such as `/v1`
   * @param options.ignoreTrailingSlash whether a slash at the end means nothing, as to a Kubernetes API
   *   server: its document has `/api/v1/`, and kubectl asks for `/api/v1`
   * @throws CountersignError `malformed-openapi`: a template that cannot be read
   */
  constructor(
    operations: readonly Operation[],
    base: string,
    { ignoreTrailingSlash = false }: { readonly ignoreTrailingSlash?: boolean } = {},
  ) {
    this.#ignoresTrailingSlash = ignoreTrailingSlash
    for (const operation of operations) {
      for (const start of [base, ...(operation.elsewhere ?? [])]) this.#add(operation, start)
    }
  }

  #add(operation: Operation, base: string): void {
    const { method, template, openEnded = false, elsewhere = [] } = operation
    const segments = this.#withoutTrailingSlash(
      [...segmentsOfBase(base), ...parseTemplate(template, openEnded)],
      isEmpty,
    )
    const trees = this.#methods.get(method) ?? {
      exact: new SegmentTree(),
      loose: new SegmentTree(),
    }
    this.#methods.set(method, trees)
    const same = trees.exact.add({ operation, segments }, 'alone')?.operation
    if (same === undefined) {
      trees.loose.add({ operation, segments: loosenSegments(segments) }, 'kept')
    }
    if (same !== undefined || hasMoreThanPath(template) || elsewhere.length > 0) {
      const first = same ?? operation
      const group = this.#indistinct.get(first) ?? new Set([first])
      this.#indistinct.set(first, group.add(operation))
    }
  }

  /**
   * What operators should know of the templates: each group of operations whose requests are refused,
   * since the path does not say which of them is meant.
   */
  get warnings(): readonly string[] {
    return [...this.#indistinct].map(([first, group]) => indistinct(first, group))
  }

  /**
   * The operation of a request. Pure; never throws; in time linear in the path.
   *
   * `ambiguous` are: a path that only a reader who drops a trailing slash, `;…` parameters or letter
   * case takes for an operation, or for a more specific one; one that fits several templates without
   * order; one of operations that no path distinguishes; and one whose parameters hold `;`, are `.` or `..`, or can be divided in several ways.
   *
   * HEAD is what GET is without the content (RFC 9110 §9.3.2), where the document does not have it.
   *
   * @param path as {@link readPath} gives it: decoded once, no empty or dot segments
   */
  find(method: string, path: string): OperationFinding {
    const found = this.#find(method, path)
    return method === 'HEAD' && found.outcome === 'undefined' ? this.#find('GET', path) : found
  }

  #find(method: string, path: string): OperationFinding {
    const trees = this.#methods.get(method)
    if (trees === undefined || !path.startsWith('/')) return UNDEFINED
    const segments = this.#withoutTrailingSlash(path.slice(1).split('/'), (text) => text === '')
    const exact = trees.exact.find(segments)
    const loose = trees.loose.find(looseSegments(path))
    if (exact === 'unordered' || loose === 'unordered') return AMBIGUOUS
    const [match] = exact
    if (match === undefined) return loose.length === 0 ? UNDEFINED : AMBIGUOUS
    if (this.#indistinct.has(match.operation)) return AMBIGUOUS
    if (!loose.some(({ operation }) => operation === match.operation)) return AMBIGUOUS
    const parameters = parametersOf(match, segments)
    return parameters === undefined
      ? AMBIGUOUS
      : { outcome: 'matched', operation: match.operation, parameters }
  }

  /** The segments without an empty last one, where that means nothing. */
  #withoutTrailingSlash<T>(
    segments: readonly T[],
    isEmptyOne: (segment: T) => boolean,
  ): readonly T[] {
    const last = segments.at(-1)
    const drops = this.#ignoresTrailingSlash && segments.length > 1
    return drops && last !== undefined && isEmptyOne(last) ? segments.slice(0, -1) : segments
  }
}

const segmentsOfBase = (base: string): readonly Segment[] =>
  (base.endsWith('/') ? base.slice(0, -1) : base)
    .split('/')
    .slice(1)
    .map((text) => ({ kind: 'literal', text }))

const isEmpty = (segment: Segment): boolean => segment.kind === 'literal' && segment.text === ''

// A document of AWS has hundreds at one path.
const MOST_NAMED = 5

const indistinct = (first: Operation, group: ReadonlySet<Operation>): string => {
  const named = [...group].slice(0, MOST_NAMED).map(({ id }) => JSON.stringify(id))
  const more = group.size > MOST_NAMED ? ` and ${group.size - MOST_NAMED} more` : ''
  const { elsewhere: [other] = [] } = first
  const why =
    group.size > 1
      ? `no path distinguishes the operations ${named.join(', ')}${more}`
      : other === undefined
        ? `the path alone does not identify the operation ${named.join('')}`
        : `the server of the operation ${named.join('')} has another path (${other || '/'})`
  return `${pointerOf(['paths', first.template])}: ${why}; requests for ${first.method} of this path are refused`
}

const loosenSegments = (segments: readonly Segment[]): readonly Segment[] =>
  segments.flatMap((segment): readonly Segment[] => {
    if (segment.kind === 'mixed') {
      return [{ ...segment, literals: segment.literals.map((literal) => fold(literal)) }]
    }
    if (segment.kind !== 'literal') return [segment]
    return looseSegments(segment.text).map((text) => ({ kind: 'literal', text }))
  })

const withoutPrototype = (): Record<string, string> => Object.create(null)

const NO_PARAMETERS: OperationMatch['parameters'] = Object.freeze(withoutPrototype())

/** The values of parameters, in an object without a prototype: a name may be `__proto__`. */
const parametersOf = (
  { segments: template }: Leaf,
  segments: readonly string[],
): OperationMatch['parameters'] | undefined => {
  let parameters: Record<string, string> | undefined
  for (const [index, segment] of template.entries()) {
    if (segment.kind === 'literal') continue
    parameters ??= withoutPrototype()
    const text = segments[index] ?? ''
    if (segment.kind === 'mixed') {
      const parts = divide(segment, text)
      if (parts === undefined || parts === 'ambiguous') return undefined
      for (const [at, part] of parts.entries()) {
        if (!isSure(part) || !put(parameters, segment.names[at] ?? '', part)) return undefined
      }
    } else {
      const rest = segment.kind === 'rest' ? segments.slice(index) : [text]
      if (
        !rest.every((one, at) => isSure(one) || (one === '' && at > 0 && at === rest.length - 1))
      ) {
        return undefined
      }
      if (!put(parameters, segment.name, rest.join('/'))) return undefined
    }
  }
  return parameters ?? NO_PARAMETERS
}

/** Whether a name that is there twice has one value. */
const put = (parameters: Record<string, string>, name: string, value: string): boolean => {
  const before = parameters[name]
  parameters[name] = value
  return before === undefined || before === value
}

const isSure = (value: string): boolean =>
  value !== '' && value !== '.' && value !== '..' && !value.includes(';')
