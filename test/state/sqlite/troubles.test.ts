// What can be wrong with a state file, and what is reported: at the start, and later.

import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, open, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { findProgram } from '../../../src/runtime/child.ts'
import { CountersignError } from '../../../src/runtime/errors.ts'
import { SqliteAttempts } from '../../../src/state/sqlite/attempts.ts'
import type { RecordStore } from '../../../src/state/record-store.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { fileSettings, opened } from '../opening.ts'
import { openFile } from './files.ts'
import { failing } from '../failing.ts'

const LONG = 60_000
const record = { text: 'x'.repeat(1_000), kind: 'login', lifetime: LONG } as const

const unusable =
  (reason: RegExp) =>
  (cause: unknown): boolean => {
    assert.ok(cause instanceof CountersignError, String(cause))
    assert.equal(cause.code, 'configuration-invalid')
    assert.match(cause.message, /state\.db cannot be used: /)
    assert.match(cause.message, reason)
    return true
  }

/** Other processes with a file, which follow commands line by line. */
class Other implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #answers: AsyncIterator<string>

  constructor(file: string, prefix: readonly string[] = []) {
    const program = join(import.meta.dirname, 'process.ts')
    const [command, ...args] = [...prefix, process.execPath, program, file]
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    assert.ok(this.#child.stdout !== null)
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
  }

  async answer(): Promise<string> {
    return String((await this.#answers.next()).value)
  }

  async ask(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`)
    return await this.answer()
  }

  async [Symbol.asyncDispose]() {
    if (this.#child.exitCode !== null) return
    this.#child.stdin?.end()
    await once(this.#child, 'close')
  }
}

describe('a file that cannot be a state file', () => {
  it('is not a database', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('state.db')
    await writeFile(file, 'users:\n  alice: {}\n'.repeat(100))
    await assert.rejects(opened(fileSettings(file)), unusable(/not a database/))
    assert.match(await readFile(file, 'utf8'), /^users:/) // and is left as it was
  })

  it('is refused as damaged', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('state.db')
    await (await opened(fileSettings(file)))[Symbol.asyncDispose]()
    const handle = await open(file, 'r+')
    await handle.write(Buffer.alloc(4_096, 0xff), 0, 4_096, 0)
    await handle.close()
    await assert.rejects(opened(fileSettings(file)), unusable(/not a database|damaged/))
  })

  it('belongs to another program', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('state.db')
    using database = new DatabaseSync(file)
    database.exec('CREATE TABLE customers (name TEXT)')
    await assert.rejects(opened(fileSettings(file)), unusable(/belongs to another program/))
  })

  it('was written by a later version', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('state.db')
    await (await opened(fileSettings(file)))[Symbol.asyncDispose]()
    using database = new DatabaseSync(file)
    database.exec('PRAGMA user_version = 99')
    await assert.rejects(opened(fileSettings(file)), unusable(/a later version of Countersign/))
  })

  it('is a folder', async () => {
    await using folder = await temporaryFolder()
    await mkdir(folder.file('state.db'))
    await assert.rejects(opened(fileSettings(folder.file('state.db'))), unusable(/opened/))
  })

  it('has a folder that is a file', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('file'), '')
    const file = join(folder.path, 'file/state.db')
    await assert.rejects(opened(fileSettings(file)), unusable(/ is a file, not a folder/))
  })
})

// Root may write anywhere, so another user has to try.
const NOBODY = 65_534
const asNobody = (): readonly string[] =>
  process.getuid?.() === 0
    ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--']
    : []
const skipRights =
  process.getuid?.() === 0 && findProgram('setpriv') === undefined ? 'no setpriv' : false

describe('a file that this user may not write', { skip: skipRights }, () => {
  const CASES = [
    { name: 'of another user', mode: 0o600, folderMode: 0o755, want: /owner and mode|may not/ },
    { name: 'that is read-only', mode: 0o444, folderMode: 0o755, want: /may not be written/ },
  ]
  for (const { name, mode, folderMode, want } of CASES) {
    it(`is refused with what to look at: ${name}`, async () => {
      await using folder = await temporaryFolder()
      const file = folder.file('state.db')
      await (await opened(fileSettings(file)))[Symbol.asyncDispose]()
      await chmod(file, process.getuid?.() === 0 ? mode : mode & 0o444)
      await chmod(dirname(file), folderMode)
      await using other = new Other(file, asNobody())
      const answer = await other.answer()
      assert.match(answer, /^configuration-invalid: .*state\.db cannot be used: /)
      assert.match(answer, want)
    })
  }
})

describe('processes that begin at once with a file that is not there', () => {
  it('make it, and its secret, together', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'new/state.db')
    await using stack = new AsyncDisposableStack()
    const others = Array.from({ length: 4 }, () => stack.use(new Other(file)))
    const answers = await Promise.all(others.map((other) => other.answer()))
    assert.deepEqual(answers, ['opened', 'opened', 'opened', 'opened'])
    const added = await Promise.all(others.map((other) => other.ask('add session 10')))
    assert.deepEqual(added.toSorted(), ['0', '0', '0', '1'])
  })
})

describe('two processes', () => {
  it('share what is taken, added and counted, to the last', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('state.db')
    await using state = await opened(fileSettings(file))
    const others = [new Other(file), new Other(file)] as const
    await using stack = new AsyncDisposableStack()
    for (const other of others) stack.use(other)
    const [one, two] = others
    assert.deepEqual([await one.answer(), await two.answer()], ['opened', 'opened'])
    await state.state.records.put('code', record)
    const askBoth = async (line: string): Promise<number> => {
      const done = await Promise.all([one.ask(line), two.ask(line)])
      return done.map(Number).reduce((sum, count) => sum + count, 0)
    }
    assert.equal(await askBoth('take code 100'), 1)
    assert.equal(await askBoth('add session 100'), 1)
    assert.equal(await askBoth('attempt alice 100'), 10)
    assert.equal(await state.state.records.add('session', record), false)
  })
})

describe('another writer that does not finish', () => {
  it('lets writing fail within the limit, and reading continue; then all is well again', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('state.db')
    await using state = await opened(fileSettings(file))
    const { records } = state.state
    await records.put('a', record)
    using writer = new DatabaseSync(file)
    writer.exec('BEGIN IMMEDIATE')
    const start = performance.now()
    let ticks = 0
    const ticking = setInterval(() => (ticks += 1), 10)
    await assert.rejects(records.put('b', record), failing('unavailable', /another process/))
    clearInterval(ticking)
    const took = performance.now() - start
    assert.ok(took >= 490, `${took} ms`)
    assert.ok(ticks > 2, `${ticks} ticks: the process went on`)
    assert.equal((await records.get('a'))?.text, record.text)
    assert.match(String(state.store.failure()), /another process/)
    assert.equal(state.lines.filter((line) => line.includes('could not be read or')).length, 1)
    const waiting = records.put('c', record)
    writer.exec('ROLLBACK')
    await waiting
    assert.equal((await records.get('c'))?.text, record.text)
    assert.equal(await records.get('b'), undefined)
  })
})

describe('a file that is full', () => {
  const fill = async (records: RecordStore): Promise<number> => {
    for (let count = 0; count < 10_000; count += 1) {
      try {
        await records.put(`${count}`, record, ['all'])
      } catch (cause) {
        assert.ok(failing('overloaded', /no room left/)(cause))
        return count
      }
    }
    throw new Error('it is never full')
  }

  it('says so, keeps what it has, and has room again when something ends', async () => {
    await using folder = await temporaryFolder()
    const settings = { ...fileSettings(folder.file('state.db')), maxBytes: 1024 * 1024 }
    await using full = await opened(settings)
    using database = await openFile(settings.file, { maxBytes: settings.maxBytes })
    const attempts = new SqliteAttempts(database) // as they are in the file
    const { records, replays, keys } = full.state
    const count = await fill(records)
    assert.ok(count > 150, `${count}`)
    assert.equal((await records.get('0'))?.text, record.text)
    assert.equal((await records.keysIn('all')).length, count)
    assert.match(String(full.store.failure()), /no room left/)
    // What cannot be taken note of is not called new, and what cannot be counted is not let pass.
    const pace = { attempts: 3, backOff: 1_000, lockAfter: 5, lockFor: LONG, forget: LONG }
    let failure: unknown
    for (let index = 0; index < 2_000 && failure === undefined; index += 1) {
      const scope = { key: keys.of(`${index}`), pace, binding: true, weight: 1 }
      failure = await attempts.take([scope]).then(
        () => undefined,
        (cause: unknown) => cause,
      )
    }
    assert.ok(failing('overloaded', /no room left/)(failure))
    let outcome = 'first'
    for (let index = 0; index < 1_000 && outcome === 'first'; index += 1) {
      outcome = (await replays.use(`${index}`, Date.now() + LONG)).outcome
    }
    assert.equal(outcome, 'unavailable')
    // Logins, attempts and used proofs have taken all of their room; a sign-out has its own.
    await records.put('sign-out', { ...record, kind: 'decisive' })
    await records.remove(await records.keysIn('all'))
    await records.put('again', record)
  })
})

const inNamespace = ['unshare', '--mount', '--propagation', 'private', '--']
const canMount =
  findProgram('unshare') !== undefined &&
  spawnSync('unshare', [...inNamespace.slice(1), 'true']).status === 0
const skipMount = canMount ? false : 'this machine lets nobody mount a small disk'

describe('a disk that is full', { skip: skipMount }, () => {
  it('lets writing fail with a message, and reading continue', async () => {
    await using folder = await temporaryFolder()
    await mkdir(folder.file('disk'))
    const mount = `mount -t tmpfs -o size=3m tmpfs ${folder.file('disk')} && exec "$@"`
    const prefix = [...inNamespace, 'sh', '-c', mount, 'sh']
    await using other = new Other(join(folder.path, 'disk/state.db'), prefix)
    assert.equal(await other.answer(), 'opened')
    assert.equal(await other.ask('put a 10'), '10')
    const answer = await other.ask('put b 5000')
    assert.match(answer, /^(overloaded: .*no room left|unavailable: .*the disk reports an error)/)
    assert.equal(await other.ask('take a3'), '1')
  })
})

describe('a file that goes bad later', () => {
  it('is reported at the next start, and no record is made up', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('state.db')
    await (await opened(fileSettings(file)))[Symbol.asyncDispose]()
    const { size } = await stat(file)
    const handle = await open(file, 'r+')
    for (let page = 1; page < size / 4_096; page += 1) {
      await handle.write(Buffer.alloc(4_096, 0xa5), 0, 4_096, page * 4_096)
    }
    await handle.close()
    await assert.rejects(opened(fileSettings(file)), unusable(/damaged/))
  })
})
