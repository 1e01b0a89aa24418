// Signed checkpoints: when they are written, and what the verification finds by them that the chain alone does not show.

import assert from 'node:assert/strict'
import { generateKeyPairSync, hash, type KeyObject } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { readPublicKey, type CheckpointKey } from '../../src/audit/checkpoint.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { openAudit } from '../../src/audit/open.ts'
import type { JsonLinesSink } from '../../src/audit/sink.ts'
import { verifyLog, type VerifyOptions } from '../../src/tools/audit-log/verify.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { findingsOf, loaded, verifyLines } from '../tools/audit-log/logs.ts'

const KINDS = {
  ed25519: () => generateKeyPairSync('ed25519'),
  p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
} as const

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

const publicOf = (key: KeyObject): CheckpointKey =>
  readPublicKey(Buffer.from(key.export({ type: 'spki', format: 'pem' })), 'key')

/** A log that is signed by a key, which is written to the folder first. */
const open = async (
  folder: TemporaryFolder,
  key?: KeyObject,
  every = 3_600_000,
): Promise<{ readonly sink: JsonLinesSink; readonly log: readonly string[] }> => {
  const path = folder.file('audit.key')
  if (key !== undefined) await writeFile(path, pemOf(key), { mode: 0o600 })
  const { logger, lines } = memoryLogger()
  const checkpoints = { key: { kind: 'file', path }, every } as const
  const file = folder.file('audit.jsonl')
  const parts = { clock: systemClock, logger }
  const { sink } = await openAudit({ file, checkpoints }, 'authz', parts)
  return { sink, log: lines }
}

const linesOf = async (folder: TemporaryFolder): Promise<readonly string[]> =>
  (await readFile(folder.file('audit.jsonl'), 'utf8')).trimEnd().split('\n')

const eventsIn = (lines: readonly string[]): readonly unknown[] =>
  lines.map((line) => JSON.parse(line).event)

const hashOf = (line: string): string => line.slice(-45, -2)

/** The lines with all hashes computed anew, as a writer without the key can. */
const resealed = (lines: readonly string[]): readonly string[] => {
  let before = ''
  return lines.map((line) => {
    const body = line.slice(0, line.lastIndexOf(',"hash":"'))
    before = hash('sha256', body + before, 'base64url')
    return `${body},"hash":"${before}"}`
  })
}

const verify = async (folder: TemporaryFolder, options: VerifyOptions) =>
  await verifyLog([folder.file('audit.jsonl')], (file) => createReadStream(file), options)

/** A signed log with events, and its key. */
const makeSigned = async (folder: TemporaryFolder) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { sink, log } = await open(folder, privateKey)
  for (let index = 1; index <= 4; index++) await sink.write(loaded(index))
  sink[Symbol.dispose]()
  return { lines: await linesOf(folder), key: publicOf(publicKey), log }
}

describe('signed checkpoints', () => {
  for (const [kind, make] of Object.entries(KINDS)) {
    it(`are verified by a key of the kind ${kind}`, async () => {
      await using folder = await temporaryFolder()
      const { privateKey, publicKey } = make()
      const { sink } = await open(folder, privateKey)
      await sink.write(loaded(1))
      sink[Symbol.dispose]()
      const { findings, chains } = await verify(folder, { keys: [publicOf(publicKey)] })
      assert.deepEqual(findings, [])
      assert.equal(chains[0]?.signed, 2)
    })
  }

  it('are written after the first event, before the file is closed, and in the log of the process', async () => {
    await using folder = await temporaryFolder()
    const { lines, log } = await makeSigned(folder)
    const loadedEvent = 'configuration-loaded'
    assert.deepEqual(eventsIn(lines), [
      'log-opened',
      loadedEvent,
      'log-checkpoint',
      loadedEvent,
      loadedEvent,
      loadedEvent,
      'log-checkpoint',
    ])
    assert.equal(log.length, 2)
    assert.match(log[1] ?? '', new RegExp(`"hash":"${hashOf(lines[5] ?? '')}".*"audit checkpoint"`))
  })

  it('are written before a file is left at SIGHUP, and at an interval while there are new events', async () => {
    await using folder = await temporaryFolder()
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const { sink } = await open(folder, privateKey)
    await sink.write(loaded(1))
    await sink.write(loaded(2))
    await rename(folder.file('audit.jsonl'), folder.file('audit.jsonl.1'))
    sink.reopen()
    sink[Symbol.dispose]()
    const rotated = (await readFile(folder.file('audit.jsonl.1'), 'utf8')).trimEnd().split('\n')
    assert.equal(eventsIn(rotated).at(-1), 'log-checkpoint')
    const both = await verifyLog(
      ['audit.jsonl', 'audit.jsonl.1'].map((name) => folder.file(name)),
      (file) => createReadStream(file),
      { keys: [publicOf(publicKey)] },
    )
    assert.deepEqual(both.findings, [])
  })

  it('are not repeated where nothing happened since', async () => {
    await using folder = await temporaryFolder()
    const { sink } = await open(folder, generateKeyPairSync('ed25519').privateKey)
    await sink.write(loaded(1))
    const before = await linesOf(folder)
    sink.reopen()
    sink[Symbol.dispose]()
    assert.deepEqual(await linesOf(folder), before)
  })

  it('change to a new key at SIGHUP, and keep the old one where that cannot be read', async () => {
    await using folder = await temporaryFolder()
    const [one, other] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
    const { sink, log } = await open(folder, one.privateKey)
    await sink.write(loaded(1))
    await writeFile(folder.file('audit.key'), 'none')
    await sink.renewKey()
    assert.match(log.at(-1) ?? '', /the old one stays in use/)
    await writeFile(folder.file('audit.key'), pemOf(other.privateKey))
    await sink.renewKey()
    await sink.write(loaded(2))
    sink[Symbol.dispose]()
    const keys = [publicOf(one.publicKey), publicOf(other.publicKey)]
    assert.deepEqual(findingsOf(await verify(folder, { keys })), [])
    const file = folder.file('audit.jsonl')
    assert.deepEqual(findingsOf(await verify(folder, { keys: keys.slice(1) })), [
      `forged ${file}:3`,
    ])
  })

  it('need a key that other users cannot read, of a known kind', async () => {
    await using folder = await temporaryFolder()
    const { privateKey } = generateKeyPairSync('ed25519')
    await writeFile(folder.file('audit.key'), pemOf(privateKey))
    await chmod(folder.file('audit.key'), 0o644)
    await assert.rejects(open(folder), { code: 'file-exposed' })
    const weak = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
    await chmod(folder.file('audit.key'), 0o600)
    await assert.rejects(open(folder, weak), { code: 'audit-key-unusable', message: /not Ed25519/ })
    await writeFile(folder.file('audit.key'), 'none')
    await assert.rejects(open(folder), { code: 'audit-key-unusable', message: /not a private key/ })
  })
})

describe('the verification of a log that was made anew, with right hashes', () => {
  it('finds a changed record by the signature after it', async () => {
    await using folder = await temporaryFolder()
    const { lines, key } = await makeSigned(folder)
    const forged = resealed(lines.with(4, (lines[4] ?? '').replace('countersign', 'Countersign')))
    assert.deepEqual(findingsOf(await verifyLines(forged)), [])
    const { findings } = await verifyWith(forged, { keys: [key] })
    assert.deepEqual(
      findings.map(({ kind, line }) => [kind, line]),
      [['forged', 7]],
    )
  })

  it('finds a signature of another place', async () => {
    await using folder = await temporaryFolder()
    const { lines, key } = await makeSigned(folder)
    const other = /"signed".*"signature":"[^"]+"/
    const forged = resealed(
      lines.with(6, (lines[6] ?? '').replace(other, other.exec(lines[2] ?? '')?.[0] ?? '')),
    )
    const { findings } = await verifyWith(forged, { keys: [key] })
    assert.deepEqual(
      findings.map(({ kind, line }) => [kind, line]),
      [['forged', 7]],
    )
  })

  it('finds that no checkpoint is there, and that later ones were removed', async () => {
    await using folder = await temporaryFolder()
    const { lines, key } = await makeSigned(folder)
    const options = { keys: [key] }
    const kinds = async (text: readonly string[]) =>
      (await verifyWith(resealed(text), options)).findings.map(({ kind, line }) => [kind, line])
    assert.deepEqual(await kinds(lines.slice(0, 2)), [['unsigned', 2]])
    const hours = (line: string): string => line.replace(/"time":"\d{4}/, '"time":"2999')
    assert.deepEqual(await kinds([...lines.slice(0, 5), hours(lines[5] ?? '')]), [['unsigned', 6]])
  })

  it('finds that an expected record is not there, or another one', async () => {
    await using folder = await temporaryFolder()
    const { lines } = await makeSigned(folder)
    const { chain } = JSON.parse(lines[0] ?? '')
    const expected = [{ chain, sequence: 6, hash: hashOf(lines[5] ?? '') }]
    const kinds = async (text: readonly string[]) =>
      (await verifyWith(text, { expected })).findings.map(({ kind, text: why }) => [kind, why])
    assert.deepEqual(await kinds(lines), [])
    assert.match(String(await kinds(lines.slice(0, 5))), /unexpected,record 6 .* is not there/)
    const forged = resealed(lines.with(4, (lines[4] ?? '').replace('countersign', 'Countersign')))
    assert.match(String(await kinds(forged)), /unexpected,record 6 .* has another hash/)
  })
})

const verifyWith = async (lines: readonly string[], options: VerifyOptions) => {
  await using folder = await temporaryFolder()
  await writeFile(folder.file('audit.jsonl'), lines.map((line) => `${line}\n`).join(''))
  return await verify(folder, options)
}
