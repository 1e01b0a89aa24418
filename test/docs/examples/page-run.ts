// Executes the commands of a page, from top to bottom: `run` to its end, `start=TEXT` in the background until it prints TEXT.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text as textOf } from 'node:stream/consumers'
import { BackgroundCommand } from '../../e2e/background-command.ts'
import { blocksOf, placeOf, type Block } from './blocks.ts'
import { isAsWritten, stepsOf } from './console.ts'
import { openPageFolder, type FolderOptions, type PageFolder } from './page-folder.ts'

/** Whether a block is executed by {@link runPage}. Those of tutorials with `start` are executed with their steps. */
export const isRun = ({ page, attributes }: Block): boolean =>
  attributes.has('run') || (attributes.has('start') && !page.startsWith('docs/tutorials/'))

/**
 * Executes the blocks of a page in their order; throws at the first that fails.
 *
 * A block that starts something ends what an earlier one has started.
 */
export const runPage = async (page: string): Promise<void> => {
  const blocks = blocksOf(page)
  await using folder = await openPageFolder(blocks)
  let started: BackgroundCommand | undefined
  try {
    for (const block of blocks.filter(isRun)) {
      if (!block.attributes.has('start')) await runBlock(block, folder)
      else {
        await started?.[Symbol.asyncDispose]()
        started = await startBlock(block, folder)
      }
    }
  } finally {
    await started?.[Symbol.asyncDispose]()
  }
}

/** Executes blocks to their end, in a folder of their own. */
export const runBlocks = async (
  blocks: readonly Block[],
  options: FolderOptions & {
    /** Starts what the blocks need. */
    readonly before?: (folder: PageFolder) => Promise<AsyncDisposable>
  } = {},
): Promise<void> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await openPageFolder(blocks, options))
  if (options.before !== undefined) stack.use(await options.before(folder))
  for (const block of blocks) await runBlock(block, folder)
}

/** Starts `countersign up` in a folder. */
export const startUpIn = async ({ path, environment }: PageFolder): Promise<BackgroundCommand> => {
  const up = new BackgroundCommand('countersign up --config countersign.yaml', path, environment)
  await up.printed('ready, listening on')
  return up
}

const startBlock = async (block: Block, folder: PageFolder): Promise<BackgroundCommand> => {
  const command = folder.here(block.text).replace(/ +#.*\n$/, '')
  const started = new BackgroundCommand(command, folder.path, folder.environment)
  try {
    await started.printed(block.attributes.get('start') ?? '', placeOf(block))
  } catch (cause) {
    await started[Symbol.asyncDispose]()
    throw cause
  }
  return started
}

/** Executes a block to its end: of a session each command, whose output must be the one of the page. */
const runBlock = async (block: Block, folder: PageFolder): Promise<void> => {
  if (block.language === 'sh') {
    const { status, stdout, stderr } = await runIn(folder, block.text)
    assert.equal(status, 0, `${placeOf(block)}: ${stdout}${stderr}`)
    return
  }
  for (const { command, output } of stepsOf(block.text)) {
    const { stdout, stderr } = await runIn(folder, command)
    const printed = stdout + stderr
    assert.ok(
      isAsWritten(printed, folder.here(output)),
      `${placeOf(block)}: ${command}\n${printed}`,
    )
  }
}

/** Runs commands in a folder, as a page has them. */
export const runIn = async ({ path, environment, here }: PageFolder, commands: string) => {
  const child = spawn('sh', ['-e', '-c', here(commands)], {
    cwd: path,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)])
  await ended
  return { status: child.exitCode, stdout, stderr }
}
