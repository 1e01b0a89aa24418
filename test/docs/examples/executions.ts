// What executes each command of the documents, by the attribute of its block.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from '../markdown.ts'
import type { Block } from './blocks.ts'

/**
 * - `run`, `start=TEXT`: the commands of the page are executed in their order, here or by test/e2e/documents.
 * - `step`, `export`, and `start=TEXT` in docs/tutorials: a test follows the page, which has attributes of its own.
 * - `tested-by=TEST`: that test reads the block by `blocksTestedBy`, and executes it.
 * - `no-run="REASON"`: no machine of the tests can.
 */
const EXECUTIONS = ['run', 'start', 'step', 'export', 'tested-by', 'no-run'] as const

/** How a block is executed. */
export type Execution = (typeof EXECUTIONS)[number]

/** How a block is executed, or what is wrong with its attributes. */
export const executionOf = (
  block: Block,
): { readonly by: Execution } | { readonly problem: string } => {
  const { attributes, page, text } = block
  const isTutorial = page.startsWith('docs/tutorials/')
  const isStep = isTutorial || attributes.has('step') || attributes.has('export')
  const unknown = [...attributes.keys()].filter((name) => !isStep && !isKnown(name))
  if (unknown.length > 0) return { problem: `there is no attribute ${unknown.join()}` }
  const [by, ...others] = EXECUTIONS.filter((name) => attributes.has(name))
  // In a tutorial the test has the command itself.
  if (isTutorial && by === undefined && text.startsWith('alias countersign=')) return { by: 'step' }
  if (by === undefined || others.length > 0) {
    return { problem: `needs one of the attributes ${EXECUTIONS.join(', ')} (CONTRIBUTING.md)` }
  }
  if (['step', 'export'].includes(by) && !isFollowed(page)) {
    return { problem: `no test of test/e2e follows ${page}` }
  }
  const problem = by === 'tested-by' ? testProblem(block) : by === 'no-run' && reasonProblem(block)
  return problem ? { problem } : { by }
}

const isKnown = (name: string): boolean => EXECUTIONS.some((execution) => execution === name)

const scenarios = globSync('test/e2e/*/*.test.ts', { cwd: ROOT }).map((file) =>
  readFileSync(join(ROOT, file), 'utf8'),
)

/** A test names the page. */
const isFollowed = (page: string): boolean => scenarios.some((text) => text.includes(`'${page}'`))

/** The test, or a file next to it, asks for the blocks of this page. */
const testProblem = ({ page, attributes }: Block): string | undefined =>
  (attributes.get('tested-by') ?? '')
    .split(',')
    .map((test) => {
      if (!existsSync(join(ROOT, test))) return `${test} does not exist`
      const folder = join(ROOT, dirname(test))
      const isRead = globSync('*.ts', { cwd: folder }).some((name) => {
        const text = readFileSync(join(folder, name), 'utf8')
        return ['blocksTestedBy(', `'${test}'`, `'${page}'`].every((part) => text.includes(part))
      })
      return isRead ? undefined : `${test} does not read ${page} by blocksTestedBy`
    })
    .find((problem) => problem !== undefined)

const reasonProblem = ({ attributes }: Block): string | undefined =>
  (attributes.get('no-run') ?? '').split(' ').length < 3 ? 'no-run needs a reason' : undefined
