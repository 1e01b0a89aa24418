// Two replicas that share a folder of signing keys, under load, while keys are added, take over, and are
// revoked, and while the list is broken: each token that one mints is good at the other, and none is good
// whose key was revoked.
//
// Slow: two processes mint tokens for seconds.

import assert from 'node:assert/strict'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { decodeProtectedHeader } from 'jose'
import { stringify } from 'yaml'
import { z } from 'zod'
import { SIGNING_KEY_LIST } from '../../src/keys/signing-key-folder.ts'
import { CountersignProcess } from '../e2e/process.ts'
import { EnvoyClient, type Outcome } from '../fakes/envoy-client.ts'
import { basic } from '../fakes/envoy.ts'
import { cheapHash } from '../fakes/hashes.ts'
import { writeList, writePrivateKey, writeSigningKeys } from '../fakes/signing-key-files.ts'
import { madeKey, type MadeKey } from '../fakes/signing-keys.ts'
import { until } from '../fakes/until.ts'
import { freePort } from '../servers/ports.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'

const ISSUER = 'https://id.example.org'
const PASSWORD = 'open sesame'
const HOUR = 3_600_000
const USERS = Array.from({ length: 8 }, (_, index) => `user-${index}`)
const NEWCOMERS = Array.from({ length: 1_000 }, (_, index) => `newcomer-${index}`)

interface Replica extends AsyncDisposable {
  check(host: string, authorization: string): Promise<Outcome>
  /** What it has logged. */
  log(): string
  /** Whether it has met a configuration that cannot be used. */
  hasRejected(): boolean
}

const startReplica = async (
  folder: TemporaryFolder,
  name: string,
  { own, other }: { readonly own: number; readonly other: number },
): Promise<Replica> => {
  await using stack = new AsyncDisposableStack()
  const config = folder.file(`${name}.yaml`)
  // The keys are those that the other replica publishes.
  const keys = {
    url: `http://127.0.0.1:${other}/jwks`,
    refresh: { min: '1s', max: '1s' },
    coolDown: '100ms',
  }
  const route = (host: string, authenticator: string, forward: object): object => ({
    name: host,
    match: { hosts: [`${host}.example.org`] },
    authenticate: [authenticator],
    authorize: [{ allow: 'everybody' }],
    forward,
  })
  const text = stringify({
    version: 1,
    listen: { authz: `unix:${name}.sock`, issuer: `127.0.0.1:${own}` },
    issuer: { url: ISSUER, keys: 'keys' },
    authenticators: {
      staff: { basic: { realm: 'Site', verify: [{ users: { file: 'users.yaml' } }] } },
      tokens: { bearer: { issuer: ISSUER, audiences: ['app'], keys } },
    },
    routes: [
      route('mint', 'staff', { bearer: { mint: { audience: 'app' } } }),
      route('use', 'tokens', { headers: 'kubernetes' }),
    ],
    audit: { file: `${name}.jsonl` },
  })
  await writeFile(config, text)
  const authz = stack.use(new CountersignProcess('authz', config))
  await authz.start()
  const client = stack.use(new EnvoyClient({ kind: 'unix', path: folder.file(`${name}.sock`) }))
  const running = stack.move()
  return {
    check: (host, authorization) =>
      client.check({ host: `${host}.example.org`, headers: [['authorization', authorization]] }),
    log: () => authz.log,
    hasRejected: () => authz.log.includes('configuration rejected'),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** A token that a replica mints for a user. */
const mint = async (replica: Replica, user: string): Promise<string> => {
  const outcome = await replica.check('mint', basic(user, PASSWORD))
  assert.ok(outcome.allow, outcome.allow ? '' : outcome.body)
  return (outcome.set['authorization'] ?? '').replace(/^Bearer /, '')
}

const kidOf = (token: string): string | undefined => decodeProtectedHeader(token).kid

const jwksSchema = z.object({ keys: z.array(z.object({ kid: z.string() })) })

/** What the replica whose issuer listens on that port publishes. */
const publishedKids = async (port: number): Promise<readonly string[]> => {
  const response = await fetch(`http://127.0.0.1:${port}/jwks`)
  return jwksSchema.parse(await response.json()).keys.map(({ kid }) => kid)
}

const revoked = (key: MadeKey): MadeKey => ({
  ...key,
  entry: { ...key.entry, revoked: new Date().toISOString() },
})

describe('signing keys that are rotated under load', () => {
  it('mint tokens that the other replica accepts, until the key is revoked', async (t) => {
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const keys = folder.file('keys')
    await mkdir(keys)
    const first = await madeKey('ES256')
    await writeSigningKeys(keys, [first])
    const password = await cheapHash(PASSWORD)
    const users = Object.fromEntries([...USERS, ...NEWCOMERS].map((user) => [user, { password }]))
    await writeFile(
      folder.file('users.yaml'),
      stringify({ users }, { aliasDuplicateObjects: false }),
    )
    const [one, two] = [await freePort(), await freePort()]
    const a = stack.use(await startReplica(folder, 'a', { own: one, other: two }))
    const b = stack.use(await startReplica(folder, 'b', { own: two, other: one }))

    const newcomers = [...NEWCOMERS]
    // The first one may have requested the keys of the second one before that listened.
    for (const [minting, verifying] of [
      [a, b],
      [b, a],
    ] as const) {
      const token = await mint(minting, 'user-0')
      await until(
        async () => (await verifying.check('use', `Bearer ${token}`)).allow,
        'it has the keys of the other replica',
      )
    }

    const over = new AbortController()
    const kids = new Set<string | undefined>()
    let isRevoked = false
    let count = 0
    const wrong: string[] = []
    const load = async (minting: Replica, verifying: Replica, user: string): Promise<void> => {
      while (!over.signal.aborted) {
        const token = await mint(minting, user)
        const outcome = await verifying.check('use', `Bearer ${token}`)
        const kid = kidOf(token)
        kids.add(kid)
        count += 1
        // Its key may be revoked between the two.
        const mayFail = isRevoked && kid === first.entry.kid
        if (!outcome.allow && !mayFail) wrong.push(`${kid}: ${outcome.body}`)
      }
    }
    const callers = Promise.all(
      USERS.map((user, index) => load(index % 2 === 0 ? a : b, index % 2 === 0 ? b : a, user)),
    )
    stack.defer(async () => {
      over.abort()
      await callers
    })

    await until(() => count > 50, 'some tokens were minted')
    // 1. Another key is published, and takes over as soon as both replicas publish it: a second ahead of
    //    its time would be too little where a replica reads its folder late.
    const second = await madeKey('ES256', Date.now() + HOUR)
    await writePrivateKey(keys, second)
    await writeList(keys, [first, second])
    await until(
      async () =>
        (await Promise.all([one, two].map(publishedKids))).every((all) =>
          all.includes(second.entry.kid),
        ),
      'both publish the second key',
    )
    const old = await mint(a, USERS[0] ?? '')
    assert.equal(kidOf(old), first.entry.kid)
    const signing = { ...second, entry: { ...second.entry, signsFrom: new Date().toISOString() } }
    await writeList(keys, [first, signing])
    // A token is minted once for each user and serves until it ends, so each question needs another user.
    for (const replica of [a, b]) {
      await until(async () => {
        const user = newcomers.pop() ?? assert.fail('no user is left')
        return kidOf(await mint(replica, user)) === second.entry.kid
      }, 'it signs with the second key')
    }
    // 2. A list that is none: what was there stays.
    await writeFile(`${keys}/broken`, '{')
    await rename(`${keys}/broken`, `${keys}/${SIGNING_KEY_LIST}`)
    for (const replica of [a, b])
      await until(() => replica.hasRejected(), 'it has read the broken list')
    await writeList(keys, [first, signing])
    assert.equal((await b.check('use', `Bearer ${old}`)).allow, true, 'a retired key')
    // 3. The first is revoked: its tokens are no longer valid, nor is it published.
    isRevoked = true
    await writeList(keys, [revoked(first), signing])
    await until(
      async () => !(await b.check('use', `Bearer ${old}`)).allow,
      'a token of the revoked key is refused',
    )
    for (const replica of [a, b]) {
      for (const user of USERS) {
        assert.equal(kidOf(await mint(replica, user)), second.entry.kid)
      }
    }
    over.abort()
    await callers
    t.diagnostic(`${count} tokens`)
    assert.deepEqual(wrong, [], [a, b].map((replica) => replica.log()).join('\n'))
    assert.deepEqual(kids, new Set([first.entry.kid, second.entry.kid]))
  })
})
