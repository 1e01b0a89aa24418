// Reloading: the next value whole or the last good one, whichever way a file is replaced.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Reloader, type Build, type ReloadReports } from '../../src/config/reload.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'

/** `2: text` for a value in force, `rejected, 1 stays: message` for one that was refused. */
class Reports implements ReloadReports<string> {
  readonly #unread: string[] = []
  #wake: (() => void) | undefined

  onLoaded: ReloadReports<string>['onLoaded'] = ({ value, generation }) =>
    this.#add(`${generation}: ${value}`)

  onRejected: ReloadReports<string>['onRejected'] = (cause, { generation }) =>
    this.#add(
      `rejected, ${generation} stays: ${cause instanceof Error ? cause.message : String(cause)}`,
    )

  #add(report: string): void {
    this.#unread.push(report)
    this.#wake?.()
  }

  /** The next report, or "nothing" when none comes in time. */
  async next(milliseconds = 60_000): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    if (this.#unread.length === 0)
      await Promise.race([promise, sleep(milliseconds, undefined, { ref: false })])
    return this.#unread.shift() ?? 'nothing'
  }

  /** What comes within a time that is long for a reload, so that all is quiet afterwards. */
  async rest(): Promise<readonly string[]> {
    await sleep(250)
    return this.#unread.splice(0)
  }
}

/** A value that is the text of a file; "bad" cannot be built. */
const textOf =
  (path: string): Build<string> =>
  async (files) => {
    const text = await files.readText(path)
    if (text === 'bad') throw new Error('is bad')
    return text
  }

const setUp = async (build = textOf) => {
  const stack = new AsyncDisposableStack()
  const folder: TemporaryFolder = stack.use(await temporaryFolder())
  const file = folder.file('app.yaml')
  await writeFile(file, 'one')
  const reloader = stack.use(await Reloader.start(build(file)))
  const reports = new Reports()
  return {
    folder,
    file,
    reloader,
    reports,
    follow: () => reloader.follow(reports),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

describe('reloading a configuration', () => {
  it('rejects the start with an invalid one', async () => {
    await assert.rejects(Reloader.start(textOf('/nonexistent/app.yaml')), {
      code: 'file-unreadable',
    })
  })

  it('starts with generation 1', async () => {
    await using scene = await setUp()
    assert.deepEqual(scene.reloader.current(), { value: 'one', generation: 1 })
  })

  it('activates a change', async () => {
    await using scene = await setUp()
    scene.follow()
    await writeFile(scene.file, 'two')
    assert.equal(await scene.reports.next(), '2: two')
    assert.deepEqual(scene.reloader.current(), { value: 'two', generation: 2 })
    await writeFile(scene.file, 'three')
    assert.equal(await scene.reports.next(), '3: three')
  })

  it('keeps the last valid value while a change is broken, and recovers', async () => {
    await using scene = await setUp()
    scene.follow()
    await writeFile(scene.file, 'bad')
    assert.equal(await scene.reports.next(), 'rejected, 1 stays: is bad')
    assert.deepEqual(scene.reloader.current(), { value: 'one', generation: 1 })
    await writeFile(scene.file, 'two')
    assert.equal(await scene.reports.next(), '2: two')
  })

  it('keeps the last valid value while the file is deleted, and recovers', async () => {
    await using scene = await setUp()
    scene.follow()
    await rm(scene.file)
    assert.match(await scene.reports.next(), /^rejected, 1 stays: .* does not exist$/)
    await writeFile(scene.file, 'two')
    assert.match(await scene.reports.next(), /^(2: two|rejected, 1 stays: .*)$/)
    assert.deepEqual(scene.reloader.current().value, 'two')
  })

  it('does not change a value that a caller has', async () => {
    await using scene = await setUp()
    const taken = scene.reloader.current()
    await writeFile(scene.file, 'two')
    await scene.reloader.reload()
    assert.deepEqual(taken, { value: 'one', generation: 1 })
  })
})

describe('a file is reloaded', () => {
  it('when it is replaced by renaming, as editors do', async () => {
    await using scene = await setUp()
    scene.follow()
    const next = scene.folder.file('.app.yaml.swp')
    await writeFile(next, 'two')
    await rename(next, scene.file)
    assert.equal(await scene.reports.next(), '2: two')
    await writeFile(next, 'three')
    await rename(next, scene.file)
    assert.equal(await scene.reports.next(), '3: three')
  })

  it('when a ConfigMap is updated, which swaps a link to its folder', async () => {
    await using folder = await temporaryFolder()
    const publish = async (version: string): Promise<void> => {
      await mkdir(folder.file(version))
      await writeFile(join(folder.file(version), 'app.yaml'), version)
      await symlink(version, folder.file('..data_tmp'))
      await rename(folder.file('..data_tmp'), folder.file('..data'))
    }
    await publish('..one')
    await symlink('..data/app.yaml', folder.file('app.yaml'))
    using reloader = await Reloader.start(textOf(folder.file('app.yaml')))
    const reports = new Reports()
    reloader.follow(reports)
    await publish('..two')
    assert.equal(await reports.next(), '2: ..two')
    await publish('..three')
    assert.equal(await reports.next(), '3: ..three')
  })

  it('when it changed between reading and watching', async () => {
    await using scene = await setUp()
    await writeFile(scene.file, 'two')
    scene.follow()
    assert.equal(await scene.reports.next(), '2: two')
  })

  it('when it changes while the next value is being built', async () => {
    const [read, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let isSlow = false
    await using scene = await setUp((path) => async (files) => {
      const text = await files.readText(path)
      if (isSlow) {
        read.resolve()
        await gate.promise
      }
      return text
    })
    scene.follow()
    isSlow = true
    const reloading = scene.reloader.reload()
    await read.promise
    await writeFile(scene.file, 'two')
    await sleep(100) // in which the change is usually noticed
    gate.resolve()
    await reloading
    assert.equal(await scene.reports.next(), '2: two', 'the value of the older text is discarded')
    assert.deepEqual(await scene.reports.rest(), [])
  })

  it('when it changes each time while the next value is being built', async () => {
    let built = 0
    let changes = false
    await using scene = await setUp((path) => async (files) => {
      const text = await files.readText(path)
      if (changes) await writeFile(path, `${(built += 1)}`)
      return text
    })
    changes = true
    const reports = new Reports()
    scene.reloader.follow(reports)
    await scene.reloader.reload()
    changes = false
    assert.match(await reports.next(), /^2: \d+$/)
    assert.match(await reports.next(), /^3: \d+$/)
    assert.equal(scene.reloader.current().value, `${built}`)
    assert.ok(built <= 8, `built ${built} times`)
  })

  it('when a file in another folder changes that it names', async () => {
    await using folder = await temporaryFolder()
    const [main, other] = [folder.file('app.yaml'), join(folder.file('other'), 'users')]
    await mkdir(folder.file('other'))
    await writeFile(other, 'users one')
    await writeFile(main, folder.file('app.yaml'))
    using reloader = await Reloader.start(async (files) =>
      files.readText(await files.readText(main)),
    )
    const reports = new Reports()
    reloader.follow(reports)
    await writeFile(main, other)
    assert.equal(await reports.next(), '2: users one')
    await writeFile(other, 'users two')
    assert.equal(await reports.next(), '3: users two')
  })

  it('when its folder is replaced by renaming, which only polling finds', async () => {
    await using folder = await temporaryFolder()
    const [live, staged, old] = ['live', 'staged', 'old'].map((name) => folder.file(name))
    assert.ok(live !== undefined && staged !== undefined && old !== undefined)
    const file = join(live, 'app.yaml')
    await mkdir(live)
    await writeFile(file, 'one')
    using reloader = await Reloader.start(textOf(file))
    const reports = new Reports()
    reloader.follow(reports, 100)
    await mkdir(staged)
    await writeFile(join(staged, 'app.yaml'), 'two')
    await reports.rest()
    await rename(live, old)
    await rename(staged, live)
    assert.equal(await reports.next(1_000), '2: two')
    await reports.rest()
    await writeFile(file, 'three')
    assert.equal(await reports.next(1_000), '3: three')
  })
})

describe('no file is reloaded', () => {
  it('when it is written with the same content', async () => {
    await using scene = await setUp()
    scene.follow()
    await writeFile(scene.file, 'one')
    assert.deepEqual(await scene.reports.rest(), [])
    assert.equal(scene.reloader.current().generation, 1)
  })

  it('when another file of the folder changes', async () => {
    await using scene = await setUp()
    scene.follow()
    await writeFile(scene.folder.file('audit.jsonl'), 'x')
    assert.deepEqual(await scene.reports.rest(), [])
  })

  it('before a follower subscribes', async () => {
    await using scene = await setUp()
    await writeFile(scene.file, 'two')
    await sleep(150)
    assert.equal(scene.reloader.current().value, 'one')
  })

  it('after the end', async () => {
    await using scene = await setUp()
    scene.follow()
    // In one turn, in which the change cannot have been noticed.
    writeFileSync(scene.file, 'two')
    scene.reloader[Symbol.dispose]()
    await writeFile(scene.file, 'three')
    assert.deepEqual(await scene.reports.rest(), [])
    assert.equal(scene.reloader.current().value, 'one')
  })
})

describe('reload(), called by SIGHUP,', () => {
  it('builds a new value, changed or not', async () => {
    await using scene = await setUp()
    scene.follow()
    await scene.reloader.reload()
    assert.equal(await scene.reports.next(), '2: one')
  })

  it('has activated the change when it resolves', async () => {
    await using scene = await setUp()
    await writeFile(scene.file, 'two')
    await scene.reloader.reload()
    assert.equal(scene.reloader.current().value, 'two')
  })

  it('resolves where the value cannot be built', async () => {
    await using scene = await setUp()
    scene.follow()
    await writeFile(scene.file, 'bad')
    await scene.reloader.reload()
    assert.equal(await scene.reports.next(), 'rejected, 1 stays: is bad')
  })

  it('shares one further reload among simultaneous callers', async () => {
    await using scene = await setUp()
    const first = scene.reloader.reload()
    await writeFile(scene.file, 'two')
    await Promise.all([first, ...Array.from({ length: 20 }, () => scene.reloader.reload())])
    assert.equal(scene.reloader.current().value, 'two')
    assert.ok(scene.reloader.current().generation <= 4)
  })

  it('includes changes after the running reload has read the files', async () => {
    await using scene = await setUp()
    for (let round = 0; round < 20; round++) {
      const running = scene.reloader.reload()
      await writeFile(scene.file, `round ${round}`)
      await Promise.all([running, scene.reloader.reload()])
      assert.equal(scene.reloader.current().value, `round ${round}`)
    }
  })
})
