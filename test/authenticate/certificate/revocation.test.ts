// The `revocation` section, built: the files that it reads, the positions of problems, and generations.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import {
  buildRevocation,
  type RevocationParts,
} from '../../../src/authenticate/certificate/revocation.ts'
import { RevocationSources } from '../../../src/pki/revocation-sources.ts'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { ProblemList } from '../../../src/config/problem-list.ts'
import { revocationSchema } from '../../../src/pki/revocation-schema.ts'
import { resolvingFrom } from '../../../src/config/values.ts'
import { encodePem } from '../../../src/x509/pem.ts'
import { Authority, crl, DAY, NOW } from '../../pki/revoking.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'

const ca = new Authority()
const alice = ca.issue({ serial: 5 }).der

const build = async (folder: TemporaryFolder, section: object, shared?: RevocationSources) => {
  const clock = new FakeClock(NOW)
  const { logger, lines } = memoryLogger()
  const files = new ConfigurationFiles()
  const problems = new ProblemList((path, message) => ({
    file: 'f',
    path: path.join('.'),
    message,
  }))
  const parts: RevocationParts = {
    revocations: shared ?? new RevocationSources(clock, logger),
    clock,
    logger,
    files,
    problems,
    inUse: new Set<object>(),
  }
  const config = resolvingFrom(folder.path, () => revocationSchema.parse(section))
  const checker = await buildRevocation(config, ['revocation'], parts)
  const found = problems.error?.problems ?? []
  if (shared === undefined) parts.revocations[Symbol.dispose]()
  return {
    checker,
    problems: found.map(({ path, message }) => `${path}: ${message}`),
    lines,
    inUse: parts.inUse,
    paths: files.paths,
    ask: async () => (await checker?.check([alice, ca.der], new AbortController().signal))?.outcome,
  }
}

describe('a revocation section', () => {
  it('denies certificates that entries or a file name', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('denied.txt'), '# stolen\nserial 05\n')
    const byEntry = await build(folder, { denied: { entries: ['serial 05'] } })
    const byFile = await build(folder, { denied: { file: 'denied.txt' } })
    assert.deepEqual([await byEntry.ask(), await byFile.ask()], ['denied', 'denied'])
    assert.deepEqual(byFile.paths, [folder.file('denied.txt')])
  })

  it('looks up certificates in CRL files', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('ca.crl'), crl(ca, [{ serial: 5 }]))
    const { ask, paths } = await build(folder, { crl: { files: ['ca.crl'] } })
    assert.equal(await ask(), 'revoked')
    assert.deepEqual(paths, [folder.file('ca.crl')])
  })

  it('reads a CRL file anew only when it has changed, and keeps none that no configuration uses', async () => {
    await using folder = await temporaryFolder()
    const section = { crl: { files: ['ca.crl'] } }
    using shared = new RevocationSources(new FakeClock(NOW), memoryLogger().logger)
    const [five, six] = [crl(ca, [{ serial: 5 }]), crl(ca, [{ serial: 6 }])]
    const read = async (list: Buffer) => {
      await writeFile(folder.file('ca.crl'), list)
      const built = await build(folder, section, shared)
      return { ...built, outcome: await built.ask() }
    }
    const first = await read(five)
    const again = await build(folder, section, shared)
    assert.deepEqual(again.inUse, first.inUse)
    assert.equal([...again.inUse][0], [...first.inUse][0])
    assert.equal(await again.ask(), 'revoked')
    const changed = await read(six)
    assert.deepEqual([first.outcome, changed.outcome], ['revoked', 'good'])
    shared.retain(changed.inUse)
    const back = await read(five)
    assert.equal(back.outcome, 'revoked')
    assert.notEqual([...back.inUse][0], [...first.inUse][0])
  })

  it('rejects a CRL file that was kept when crl.maxBytes has become less', async () => {
    await using folder = await temporaryFolder()
    const entries = Array.from({ length: 50 }, (_, index) => ({ serial: 1_000 + index }))
    await writeFile(folder.file('ca.crl'), crl(ca, entries))
    using shared = new RevocationSources(new FakeClock(NOW), memoryLogger().logger)
    const filesWith = async (maxBytes: number) =>
      await build(folder, { crl: { files: ['ca.crl'], maxBytes } }, shared)
    assert.deepEqual((await filesWith(1_000_000)).problems, [])
    assert.match((await filesWith(1_024)).problems.join(), /the limit is 1024 \(crl\.maxBytes\)/)
  })

  it('rejects a CRL file that is longer than crl.maxBytes, with both lengths', async () => {
    await using folder = await temporaryFolder()
    const entries = Array.from({ length: 50 }, (_, index) => ({ serial: 1_000 + index }))
    const bytes = crl(ca, entries)
    await writeFile(folder.file('ca.crl'), bytes)
    const filesWith = async (maxBytes: number) =>
      await build(folder, { crl: { files: ['ca.crl'], maxBytes } })
    assert.deepEqual((await filesWith(bytes.length)).problems, [])
    assert.deepEqual((await filesWith(bytes.length - 1)).problems, [
      `revocation.crl.files.0: ${folder.file('ca.crl')} has ${bytes.length} bytes, and the limit is ${bytes.length - 1} (crl.maxBytes)`,
    ])
  })

  it('queries OCSP and CRLs in the preferred order', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('ca.crl'), crl(ca, []))
    // Port 1 is closed: only the CRL can answer, first or last.
    const ocsp = { urls: ['http://127.0.0.1:1/'] }
    for (const [prefer, warned] of [
      ['crl', false],
      ['ocsp', true],
    ] as const) {
      const { ask, lines } = await build(folder, { ocsp, crl: { files: ['ca.crl'] }, prefer })
      assert.equal(await ask(), 'good')
      assert.equal(lines.join().includes('OCSP gives no answer'), warned)
    }
  })

  it('passes its policies to the checker', async () => {
    await using folder = await temporaryFolder()
    const ocsp = { urls: ['http://127.0.0.1:1/'] }
    assert.equal(await (await build(folder, { ocsp })).ask(), 'unavailable')
    assert.equal(await (await build(folder, { ocsp, unavailable: 'allow' })).ask(), 'good')
  })

  it('registers the sources that it acquires, so that a reload retains them', async () => {
    await using folder = await temporaryFolder()
    const { inUse } = await build(folder, {
      ocsp: { urls: ['http://127.0.0.1:1/'] },
      crl: { urls: ['http://127.0.0.1:1/ca.crl'], distributionPoints: true },
    })
    assert.equal(inUse.size, 3)
  })

  it('says that a CRL is out of date, and sts wits all the same', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('ca.crl'), crl(ca, [], { nextUpdate: NOW - DAY }))
    const { ask, lines } = await build(folder, { crl: { files: ['ca.crl'] } })
    assert.equal(await ask(), 'unavailable')
    assert.match(lines.join(), /CRL is out of date/)
  })
})

describe('the generation of a revocation section', () => {
  const generationOf = async (folder: TemporaryFolder, section: object): Promise<string> => {
    const { checker } = await build(folder, section)
    assert.ok(checker !== undefined)
    return checker.generation
  }

  it('changes with the section and with every file, and with nothing else', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('denied.txt'), 'serial 01')
    await writeFile(folder.file('ca.crl'), crl(ca, []))
    await writeFile(folder.file('responder.pem'), encodePem('CERTIFICATE', ca.der))
    const section = {
      denied: { file: 'denied.txt' },
      ocsp: { urls: ['http://127.0.0.1:1/'], responders: ['responder.pem'] },
      crl: { files: ['ca.crl'] },
    }
    const seen = new Set([await generationOf(folder, section)])
    seen.add(await generationOf(folder, { ...section }))
    assert.equal(seen.size, 1)
    seen.add(await generationOf(folder, { ...section, unknown: 'allow' }))
    await writeFile(folder.file('denied.txt'), 'serial 02')
    seen.add(await generationOf(folder, section))
    await writeFile(folder.file('ca.crl'), crl(ca, [{ serial: 9 }]))
    seen.add(await generationOf(folder, section))
    await writeFile(folder.file('responder.pem'), encodePem('CERTIFICATE', alice))
    seen.add(await generationOf(folder, section))
    assert.equal(seen.size, 5)
  })
})

describe('problems with a revocation section', () => {
  it('are all reported, with their positions', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('denied.txt'), 'serial 01\nwho?')
    await writeFile(folder.file('responder.pem'), 'no certificate')
    await writeFile(folder.file('ca.crl'), '<html>')
    const { checker, problems } = await build(folder, {
      denied: { entries: ['serial 01', 'nobody'], file: 'denied.txt' },
      ocsp: { aia: true, responders: ['responder.pem', 'none.pem'], ca: 'none.pem' },
      crl: { files: ['ca.crl', 'none.crl'] },
    })
    assert.equal(checker, undefined)
    assert.deepEqual(
      problems.map((problem) => problem.slice(0, problem.indexOf(': '))),
      [
        'revocation.denied.entries.1',
        'revocation.denied.file',
        'revocation.ocsp.ca',
        'revocation.ocsp.responders.0',
        'revocation.ocsp.responders.1',
        'revocation.crl.files.0',
        'revocation.crl.files.1',
      ],
    )
    assert.match(problems.join('\n'), /denied\.txt, line 2: "who\?" is not one of/)
    assert.match(problems.join('\n'), /ca\.crl is not a usable CRL: .*neither DER nor a PEM/)
  })

  it('of another section do not prevent the checker from being built', async () => {
    await using folder = await temporaryFolder()
    assert.notEqual((await build(folder, { denied: {} })).checker, undefined)
  })
})
