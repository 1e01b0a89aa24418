// Which operation a request is for. A caller must not bypass a rule by a path that authz
// reads as one operation and the upstream as another: such a path is `ambiguous`.

import { fold, looseSegments } from '../loose-path.ts'
import type { Operation, OperationMatch } from './operation.ts'
import { SegmentTree, type Leaf } from './segment-tree.ts'
import { divide, parseTemplate, type Segment } from './template.ts'
import { faultAt } from './value.ts'

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
 * path is ambiguous. GitHub's document has 43 such pairs, so the document is not refused for
 * them; it is for templates that differ only in their parameters' names, since they match the same paths.
 */
export class OperationIndex {
  readonly #methods = new Map<string, Trees>()
  readonly #ignoresTrailingSlash: boolean

  /**
   * @param base where the templates begin: empty, or a path such as `/v1`
   * @param options.ignoreTrailingSlash whether a slash at the end means nothing, as to a Kubernetes API
   *   server: its document has `/api/v1/`, and kubectl asks for `/api/v1`
   * @throws CountersignError `malformed-openapi`: a template that cannot be read, or two of one
   *   method that match the same paths
   */
  constructor(
    operations: readonly Operation[],
    base: string,
    { ignoreTrailingSlash = false }: { readonly ignoreTrailingSlash?: boolean } = {},
  ) {
    this.#ignoresTrailingSlash = ignoreTrailingSlash
    const prefix = base.endsWith('/') ? base.slice(0, -1) : base
    const baseSegments = prefix
      .split('/')
      .slice(1)
      .map((text): Segment => ({ kind: 'literal', text }))
    for (const operation of operations) {
      const { method, template, openEnded = false } = operation
      const segments = this.#withoutTrailingSlash(
        [...baseSegments, ...parseTemplate(template, openEnded)],
        isEmpty,
      )
      const trees = this.#methods.get(method) ?? {
        exact: new SegmentTree(),
        loose: new SegmentTree(),
      }
      this.#methods.set(method, trees)
      const same = trees.exact.add({ operation, segments })
      if (same !== undefined) throw indistinct(operation, same.operation)
      trees.loose.add({ operation, segments: loosenSegments(segments) })
    }
  }

  /**
   * The operation of a request. Pure; never throws; in time linear in the path.
   *
   * `ambiguous` are: a path that only a reader who drops a trailing slash, `;…` parameters or letter
   * case takes for an operation, or for a more specific one; one that fits several templates without
   * order; and one whose parameters hold `;`, are `.` or `..`, or can be divided in several ways.
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

const isEmpty = (segment: Segment): boolean => segment.kind === 'literal' && segment.text === ''

const indistinct = (one: Operation, other: Operation): Error =>
  faultAt(
    ['paths', one.template],
    `no path tells ${one.method} of this template from that of ${JSON.stringify(other.template)} (operations ${JSON.stringify(one.id)} and ${JSON.stringify(other.id)}); leave one out`,
  )

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
        if (!isSure(part)) return undefined
        parameters[segment.names[at] ?? ''] = part
      }
    } else {
      const rest = segment.kind === 'rest' ? segments.slice(index) : [text]
      if (
        !rest.every((one, at) => isSure(one) || (one === '' && at > 0 && at === rest.length - 1))
      ) {
        return undefined
      }
      parameters[segment.name] = rest.join('/')
    }
  }
  return parameters ?? NO_PARAMETERS
}

const isSure = (value: string): boolean =>
  value !== '' && value !== '.' && value !== '..' && !value.includes(';')
