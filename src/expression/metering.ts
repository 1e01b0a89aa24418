// What the parts of an expression cost, and the places of the CEL library at which that is charged: it
// has no limit of its own. A loop costs in each round what is evaluated in it; a function or an operator
// what its values cost by their length, before it is called.

import type { ASTNode } from '@marcbachmann/cel-js'
import { charge } from './budget.ts'
import { costOf, costOfPattern, type Cost } from './costs.ts'
import { PATTERN_ARGUMENTS } from './functions.ts'

/** A part of an expression whose cost cannot be bounded, so that the expression cannot be used. */
export interface Unbounded {
  readonly name: string
  readonly node: ASTNode
}

/**
 * Has an expression charge for what it does. It must have been checked for types.
 *
 * @returns what cannot be charged for, if anything
 */
export const meter = (node: ASTNode): Unbounded | undefined => {
  const fault = meterNode(node)
  if (fault !== undefined) return fault
  for (const child of childrenOf(node.args)) {
    const inner = meter(child)
    if (inner !== undefined) return inner
  }
  return undefined
}

const meterNode = (node: ASTNode): Unbounded | undefined => {
  if (node.op === 'call' || node.op === 'rcall') {
    const [name] = node.args
    if (LOOPS.has(name)) return meterLoop(node) ? undefined : { name, node }
    // What is in another macro, such as `has`, is evaluated at most once.
    if (isMacro(node)) return undefined
    return meterCall(node, costOf(name), patternOf(node)) ? undefined : { name, node }
  }
  if (node.op === '&&' || node.op === '||') {
    return meterFailures(node, 'left') ? undefined : { name: node.op, node }
  }
  if (!OPERATORS.has(node.op)) return undefined
  return meterCall(node, costOf(node.op)) ? undefined : { name: node.op, node }
}

/** In cel-js 8.0.0: `meta.macro`. */
const isMacro = (node: object): boolean =>
  'meta' in node && typeof node.meta === 'object' && node.meta !== null && 'macro' in node.meta

const LOOPS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])
/** Those whose time depends on the length of their values. */
const OPERATORS: ReadonlySet<string> = new Set(['==', '!=', 'in', '+', '<', '<=', '>', '>='])

/** The library's form of a loop: `condition` decides before each round whether to continue. */
interface Loop {
  condition?: (value: unknown) => boolean
  readonly step: unknown
}

/**
 * Nothing but this place is met in every round. An error of the round's own would not do: `all` and
 * `exists` continue after one.
 */
const meterLoop = (node: ASTNode): boolean => {
  const loop = loopOf(node)
  if (loop === undefined) return false
  const { condition } = loop
  const cost = nodesInRound(node)
  loop.condition = (value) => {
    charge(cost)
    return condition === undefined || condition(value)
  }
  return meterFailures(loop, 'step')
}

/** What the library evaluates: in cel-js 8.0.0 it calls this, with the node itself. */
interface Evaluable {
  readonly evaluate: (evaluator: unknown, node: Evaluable, context: unknown) => unknown
}

const isEvaluable = (value: unknown): value is Evaluable =>
  typeof value === 'object' && value !== null && 'evaluate' in value

/** An error has a drawing of the expression in its message: it takes 5 to 10 µs. */
const FAILED = 500

/** Charges for what is evaluated there when it fails: `all`, `exists`, `&&` and `||` continue after it. */
const meterFailures = (holder: object, place: 'left' | 'step'): boolean => {
  const inner: unknown = Reflect.get(holder, place)
  if (!isEvaluable(inner)) return false
  return Reflect.set(holder, place, {
    evaluate(evaluator: unknown, _node: Evaluable, context: unknown) {
      try {
        return inner.evaluate(evaluator, inner, context)
      } catch (cause) {
        charge(FAILED)
        throw cause
      }
    },
  })
}

/** In cel-js 8.0.0: `meta.alternate`, a node of its own, whose `args` describe the loop. */
const loopOf = (node: object): Loop | undefined => {
  const meta = 'meta' in node ? node.meta : undefined
  if (typeof meta !== 'object' || meta === null || !('alternate' in meta)) return undefined
  const { alternate } = meta
  if (typeof alternate !== 'object' || alternate === null) return undefined
  if (!('op' in alternate) || alternate.op !== 'comprehension' || !('args' in alternate)) {
    return undefined
  }
  const { args } = alternate
  return typeof args === 'object' && args !== null && isLoop(args) ? args : undefined
}

const isLoop = (args: object): args is Loop => 'iterable' in args && 'step' in args

/** The nodes that a round evaluates at most, without those of the rounds of loops within it. */
const nodesInRound = (loop: ASTNode): number => {
  // The receiver is evaluated once; the first parameter is the name of the variable.
  const [, , parameters] = loop.op === 'rcall' ? loop.args : [undefined, undefined, []]
  return 1 + parameters.slice(1).reduce((sum, parameter) => sum + nodesIn(parameter), 0)
}

const nodesIn = (node: ASTNode): number => {
  const inner =
    node.op === 'rcall' && LOOPS.has(node.args[0]) ? [node.args[1]] : childrenOf(node.args)
  return inner.reduce((sum, child) => sum + nodesIn(child), node.op === 'value' ? VALUE : 1)
}

/** How deep loops are nested at most: what is evaluated in a round, not what is iterated. */
export const loopDepth = (node: ASTNode): number => {
  const depthOf = (nodes: readonly ASTNode[]): number => Math.max(0, ...nodes.map(loopDepth))
  if (node.op !== 'rcall' || !LOOPS.has(node.args[0])) return depthOf(childrenOf(node.args))
  const [, receiver, parameters] = node.args
  return Math.max(loopDepth(receiver), 1 + depthOf(parameters))
}

/** A literal of the expression exists already. */
const VALUE = 1 / 4

/** The nodes directly below one. */
export const childrenOf = (value: ASTNode['args'] | ASTNode): readonly ASTNode[] => {
  if (Array.isArray(value)) {
    const members: readonly (ASTNode['args'] | ASTNode)[] = value
    return members.flatMap(childrenOf)
  }
  return typeof value === 'object' && value !== null && 'op' in value ? [value] : []
}

/** In cel-js 8.0.0 the check of types leaves here what is called with the values. */
interface Callable {
  handle: (first: unknown, second: unknown, third: unknown, fourth: unknown) => unknown
}

const isCallable = (node: object): node is Callable =>
  'handle' in node && typeof node.handle === 'function'

/** @param pattern which of the values is a regular expression to be compiled */
const meterCall = (node: ASTNode, cost: Cost, pattern?: number): boolean => {
  // With a short literal, no operator takes longer than a node.
  if (OPERATORS.has(node.op) && childrenOf(node.args).some(isShort)) return true
  if (!isCallable(node)) return false
  const { handle } = node
  node.handle = OPERATORS.has(node.op)
    ? (left, right, third, fourth) => {
        charge(cost(left, right, 2))
        return handle(left, right, third, fourth)
      }
    : (values, second, third, fourth) => {
        if (Array.isArray(values)) {
          charge(cost(values[0], values[1], values.length))
          if (pattern !== undefined) charge(costOfPattern(values[pattern]))
        }
        return handle(values, second, third, fourth)
      }
  return true
}

/** The argument with a pattern; not where it is a literal of the expression and is compiled. */
const patternOf = (node: ASTNode): number | undefined => {
  if (node.op !== 'rcall') return undefined
  const [name, , parameters] = node.args
  const index = PATTERN_ARGUMENTS.get(name)
  if (index === undefined || parameters[index]?.op === 'value') return undefined
  return index + 1 // behind the receiver
}

const isShort = (node: ASTNode): boolean =>
  node.op === 'value' && !(typeof node.args === 'string' && node.args.length > 1_000)
