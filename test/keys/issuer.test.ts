// The signing keys of a configuration in force: a folder that changes is picked up, and one that is
// broken changes nothing and is reported where it is named.

import assert from 'node:assert/strict'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { processResources } from '../../src/check/resources.ts'
import { buildSnapshot, type Snapshot } from '../../src/check/snapshot.ts'
import { ConfigurationError } from '../../src/config/problem.ts'
import { Reloader } from '../../src/config/reload.ts'
import { signingKeyFile } from '../../src/keys/signing-key-folder.ts'
import { FakeClock } from '../fakes/clock.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { writeList, writePrivateKey, writeSigningKeys } from '../fakes/signing-key-files.ts'
import { madeKey, type MadeKey } from '../fakes/signing-keys.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const START = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000

const CONFIG = `
version: 1
listen: { authz: unix:authz.sock, issuer: unix:issuer.sock }
issuer: { url: https://id.example.org, keys: keys }
authenticators: { guests: { anonymous: {} } }
routes:
  - name: app
    authenticate: [guests]
    authorize: [{ allow: all }]
    forward: { bearer: { mint: { audience: app } } }
`

const [old, young, other] = await Promise.all([
  madeKey('ES256', START - HOUR),
  madeKey('ES256', START),
  madeKey('ES256', START),
])

/** A configuration in force, with one key, and what is reported of it. */
const setUp = async () => {
  const stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const keys = folder.file('keys')
  await mkdir(keys)
  await writeSigningKeys(keys, [old])
  await writeFile(folder.file('countersign.yaml'), CONFIG)
  const clock = new FakeClock(START)
  const resources = stack.use(processResources(clock, memoryLogger().logger))
  const reloader = stack.use(
    await Reloader.start(
      async (files) => await buildSnapshot(folder.file('countersign.yaml'), files, resources),
    ),
  )
  const reports: string[] = []
  reloader.follow({
    onLoaded: ({ generation }) => void reports.push(`loaded ${generation}`),
    onRejected: (cause, { generation }) => {
      assert.ok(cause instanceof ConfigurationError)
      const problems = cause.problems.map(({ path, message }) => `${path}: ${message}`)
      reports.push(`kept ${generation}; ${problems.join('; ')}`)
    },
  })
  return {
    keys,
    clock,
    signer: async () => await signerOf(reloader.current().value),
    published: () => publishedBy(reloader.current().value),
    /** The next report. */
    async next(): Promise<string> {
      for (let waited = 0; reports.length === 0 && waited < 5_000; waited += 10) {
        await sleep(10)
      }
      return reports.shift() ?? 'nothing'
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const signerOf = async ({ issuer }: Snapshot): Promise<string | undefined> =>
  (await issuer?.keys.sign('ES256', 'JWT', {}))?.kid

const publishedBy = ({ issuer }: Snapshot): readonly string[] =>
  issuer?.keys.published().map(({ kid }) => kid) ?? []

const kids = (...keys: readonly MadeKey[]): readonly string[] => keys.map(({ entry }) => entry.kid)

describe('a change in the folder of signing keys', () => {
  it('is read: the new key signs, and the old one stays published', async () => {
    await using scene = await setUp()
    assert.equal(await scene.signer(), old.entry.kid)
    await writePrivateKey(scene.keys, young)
    await writeList(scene.keys, [old, young])
    assert.equal(await scene.next(), 'loaded 2')
    assert.equal(await scene.signer(), young.entry.kid)
    assert.deepEqual(scene.published(), kids(old, young))
  })

  it('is read before the new key signs, which it then does without another read', async () => {
    await using scene = await setUp()
    const next = await madeKey('ES256', START + HOUR)
    await writePrivateKey(scene.keys, next)
    await writeList(scene.keys, [old, next])
    assert.equal(await scene.next(), 'loaded 2')
    assert.deepEqual(scene.published(), kids(old, next))
    assert.equal(await scene.signer(), old.entry.kid)
    scene.clock.advance(HOUR)
    assert.equal(await scene.signer(), next.entry.kid)
  })

  it('is read when a key is revoked', async () => {
    await using scene = await setUp()
    await writePrivateKey(scene.keys, young)
    const revoked = { ...old, entry: { ...old.entry, revoked: new Date(START).toISOString() } }
    await writeList(scene.keys, [revoked, young])
    await rm(signingKeyFile(scene.keys, old.entry.kid))
    assert.match(await scene.next(), /^loaded/)
    assert.equal(await scene.signer(), young.entry.kid)
    assert.deepEqual(scene.published(), kids(young))
  })

  const BROKEN: readonly {
    readonly name: string
    readonly spoil: (keys: string) => Promise<unknown>
    readonly want: RegExp
  }[] = [
    {
      name: 'with a new key that every user can read',
      async spoil(keys) {
        await writePrivateKey(keys, young)
        await chmod(signingKeyFile(keys, young.entry.kid), 0o644)
        await writeList(keys, [old, young])
      },
      want: /^kept 1; issuer\.keys: \S+\.pem has mode 0644: /,
    },
    {
      name: 'with the file of another new key',
      async spoil(keys) {
        await writePrivateKey(keys, { ...young, privateKey: other.privateKey })
        await writeList(keys, [old, young])
      },
      want: /^kept 1; issuer\.keys: \S+\.pem does not hold the private key of /,
    },
    {
      name: 'with a missing new key',
      spoil: (keys) => writeList(keys, [old, young]),
      want: /^kept 1; issuer\.keys: \S+\.pem does not exist: restore it/,
    },
    {
      name: 'with a truncated list',
      spoil: (keys) => writeFile(`${keys}/keys.json`, '{"version":1,"keys":[{'),
      want: /^kept 1; issuer\.keys: \S+keys\.json is not JSON/,
    },
    {
      name: 'with an empty list',
      spoil: (keys) => writeList(keys, []),
      want: /^kept 1; issuer\.keys: \S+keys\.json has no key that signs now/,
    },
    {
      name: 'with keys of other algorithms only',
      async spoil(keys) {
        const key = await madeKey('EdDSA', START)
        await writeSigningKeys(keys, [key])
      },
      want: /^kept 1; routes\[0\]\.forward\.bearer\.mint: is signed with ES256, for which there is no key/,
    },
  ]
  for (const { name, spoil, want } of BROKEN) {
    it(`${name}: the old keys stay, and the new ones sign when it is corrected`, async () => {
      await using scene = await setUp()
      await spoil(scene.keys)
      assert.match(await scene.next(), want)
      assert.equal(await scene.signer(), old.entry.kid)
      assert.deepEqual(scene.published(), kids(old))
      // All anew, and with one more: the same bytes in a file of another mode are not a change.
      await rm(signingKeyFile(scene.keys, young.entry.kid), { force: true })
      await writeSigningKeys(scene.keys, [old, young, other])
      let report = await scene.next()
      // The files come one after another, and each may be looked at.
      while (report.startsWith('kept')) report = await scene.next()
      assert.match(report, /^loaded/)
      assert.equal(await scene.signer(), other.entry.kid)
    })
  }

  it('prevents the start where the folder is invalid', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('countersign.yaml'), CONFIG)
    using resources = processResources(new FakeClock(START), memoryLogger().logger)
    await assert.rejects(
      Reloader.start(
        async (files) => await buildSnapshot(folder.file('countersign.yaml'), files, resources),
      ),
      (cause) => {
        assert.ok(cause instanceof ConfigurationError)
        const [problem] = cause.problems
        assert.equal(problem?.path, 'issuer.keys')
        assert.equal(problem.position?.line, 4)
        assert.match(problem.message, /keys\.json does not exist; `countersign keys signing create/)
        return true
      },
    )
  })
})
