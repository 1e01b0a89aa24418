// Where the time of a remembered check goes: a sampling profile of authz under load, by package and
// by function.

import { z } from 'zod'
import { warmUp, type Row } from './row.ts'
import type { Service } from './service.ts'

const INTERVAL_US = 100
const MOST_FUNCTIONS = 40

// What we read of Profiler.Profile.
const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.int(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.int() }),
      children: z.array(z.int()).optional(),
    }),
  ),
  samples: z.array(z.int()),
  timeDeltas: z.array(z.number()),
})

type Profile = z.output<typeof profileSchema>
type CallFrame = Profile['nodes'][number]['callFrame']

/** Profiles a row of checks; gives a text. */
export const profileRow = async (row: Row, authz: Service): Promise<string> => {
  await authz.ask({ do: 'start-profile', interval: INTERVAL_US }, z.undefined())
  await warmUp(row, row.requests)
  const { packages, functions, total } = analyse(
    await authz.ask({ do: 'stop-profile' }, profileSchema),
  )
  const rankingOf = (sums: ReadonlyMap<string, number>, most: number): string =>
    ranking(sums, total, row.requests, most)
  return [
    `${row.name}: ${row.requests} checks, a sample each ${INTERVAL_US} µs (which itself costs something)`,
    '',
    'By package, with what it calls in Node and V8; the rest is under "node", mostly node:http2:',
    rankingOf(packages, packages.size),
    '',
    'By function, without what it calls; of what is built into V8 and Node, by caller:',
    rankingOf(functions, MOST_FUNCTIONS),
  ].join('\n')
}

interface Analysis {
  readonly packages: ReadonlyMap<string, number>
  readonly functions: ReadonlyMap<string, number>
  readonly total: number
}

const analyse = ({ nodes, samples, timeDeltas }: Profile): Analysis => {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])),
  )
  const callersOf = (id: number): readonly CallFrame[] => {
    const callers: CallFrame[] = []
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      callers.push(frames.get(at) ?? NOBODY)
    }
    return callers
  }
  const packages = new Map<string, number>()
  const functions = new Map<string, number>()
  let total = 0
  for (const [index, sample] of samples.entries()) {
    const stack = callersOf(sample)
    if (isIdle(stack)) continue
    const time = timeDeltas[index] ?? 0
    total += time
    add(packages, packageOf(stack), time)
    add(functions, functionOf(stack), time)
  }
  return { packages, functions, total }
}

const NOBODY: CallFrame = { functionName: '(unknown)', url: '', lineNumber: 0 }

/** Waiting for requests, or busy with the profile itself. */
const isIdle = (stack: readonly CallFrame[]): boolean =>
  stack[0]?.functionName === '(idle)' || stack.some(({ url }) => url === 'node:inspector')

const add = (sums: Map<string, number>, key: string, amount: number): void => {
  sums.set(key, (sums.get(key) ?? 0) + amount)
}

/** The nearest caller that is not Node itself: `@grpc/grpc-js`, `src/check`, … */
const packageOf = (stack: readonly CallFrame[]): string => {
  for (const { url } of stack) {
    const installed = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
    if (installed !== undefined) return installed
    const own = /\/(src(?:\/[^/]+)?)\/[^/]+$/.exec(url)?.[1]
    if (own !== undefined) return own
  }
  const [{ functionName } = NOBODY] = stack
  return isPseudo(functionName) ? functionName : 'node'
}

/** `(garbage collector)` and `(program)`: native code and system calls outside any function. */
const isPseudo = (functionName: string): boolean => functionName.startsWith('(')

const functionOf = ([frame = NOBODY, caller = NOBODY]: readonly CallFrame[]): string => {
  const name = frame.functionName === '' ? '(anonymous)' : frame.functionName
  if (frame.url !== '') return `${name}  ${placeOf(frame)}`
  return isPseudo(frame.functionName)
    ? name
    : `${name}  in ${caller.functionName} ${placeOf(caller)}`
}

const placeOf = ({ url, lineNumber }: CallFrame): string => {
  const file = /(?:node_modules|\/src)\/.*$/.exec(url)?.[0] ?? url
  return file === '' ? '' : `${file.replace(/^\//, '')}:${lineNumber + 1}`
}

const ranking = (
  sums: ReadonlyMap<string, number>,
  total: number,
  requests: number,
  most: number,
): string =>
  [...sums]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([name, time]) => {
      const share = ((100 * time) / total).toFixed(1)
      return `${(time / requests).toFixed(1).padStart(7)} µs ${share.padStart(5)} %  ${name}`
    })
    .join('\n')
