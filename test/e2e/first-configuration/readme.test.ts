// The first example of README.md, as it is printed there: only the ports differ.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { text } from 'node:stream/consumers'
import { blocksTestedBy } from '../../docs/examples/blocks.ts'
import { ROOT, textOf } from '../../docs/markdown.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { freePort } from '../../servers/ports.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { BackgroundCommand } from '../background-command.ts'

const section = textOf('README.md').split('## Five minutes\n')[1]?.split('\n## ')[0] ?? ''

/** The configuration in the section. */
const yaml = (): string => {
  const [, block] = /```yaml\n([^]*?)```/.exec(section) ?? []
  assert.ok(block !== undefined)
  return block
}

const skip =
  skipWithoutEnvoy() || (spawnSync('python3', ['--version']).status !== 0 && 'no python3')

describe('the first example of README.md', { skip }, () => {
  it('serves an application, and then by the rules that README.md adds', async () => {
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const [app, edge] = [await freePort(), await freePort()]
    const here = (printed: string): string =>
      printed
        .replaceAll('3000', String(app))
        .replaceAll('8443', String(edge))
        .replaceAll(/^countersign /gm, `${process.execPath} ${ROOT}/src/countersign.ts `)
    // `#` begins a comment, `&` the background; here every command that stays is in the background.
    const [commands] = blocksTestedBy('test/e2e/first-configuration/readme.test.ts', 'README.md')
    const [server = '', init = '', up = '', curl = '', ...more] = here(commands?.text ?? '')
      .trim()
      .split('\n')
      .map((line) => line.replace(/&? +#.*$/, ''))
    assert.deepEqual(more, [])
    assert.match(server, /^python3 -m http\.server/)
    const start = (command: string): BackgroundCommand =>
      stack.use(new BackgroundCommand(command, folder.path))
    await writeFile(folder.file('hello.txt'), 'hello\n')
    start(server)
    // The certificates of the example name the port of the configuration.
    const made = await finished(`${init} --port ${edge}`, folder.path)
    const [, password] = /password of alice is (\S+)\./.exec(made) ?? []
    assert.ok(password !== undefined, made)
    const first = start(up)
    await first.printed('ready, listening on')
    const as = curl.replace('PASSWORD', password)
    const status = async (command: string): Promise<string> =>
      await finished(`${command} -s -o /dev/null -w '%{http_code}'`, folder.path)
    assert.equal(await finished(`${as}hello.txt -s`, folder.path), 'hello\n')
    assert.equal(await status(as.replace(/-u \S+/, '')), '401')
    await first[Symbol.asyncDispose]()

    await writeFile(folder.file('gateway/countersign.yaml'), here(yaml()))
    const second = start(up)
    await second.printed('ready, listening on')
    assert.equal(await finished(`${as}hello.txt -s`, folder.path), 'hello\n')
    assert.equal(await status(`${as}secrets/1`), '403')
    assert.equal(await status(`${as}hello.txt -X POST`), '403')
    const audit = await readFile(folder.file('gateway/audit.jsonl'), 'utf8')
    assert.equal(audit.match(/"rule":"no-secrets"/g)?.length, 1)
  })
})

/** Runs a command of a shell to its end; its standard output. */
const finished = async (command: string, cwd: string): Promise<string> => {
  const child = spawn('sh', ['-c', command], { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  return await text(child.stdout)
}
