// Signing keys change under load, in front of a real API server. Steps are in README.md.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { madeKey, type MadeKey } from '../../fakes/signing-keys.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutApiServer } from '../../servers/kube-apiserver.ts'
import { writeSigningKeys } from '../../servers/signing-keys.ts'
import { ALICE, basic, eventually, PASSWORDS } from '../site.ts'
import { askWhoAmI, startCluster, whoAmI, type Cluster } from './cluster.ts'
import { runRecipe, type Running } from './running.ts'

const skip = skipWithoutEnvoy() || skipWithoutApiServer()

// A token is used for two thirds of it, so each key is met within seconds.
const LIFETIME = 'lifetime: 10s'
// The API server reads the key set anew when its copy has ended, and not for a key that it does not
// know: so a key has to be published for longer than that before it signs.
const MAX_AGE = 'maxAge: 1s'
const OVERLAP_MS = 4_000
const A_LIFE_MS = 10_000
const CALLERS = [ALICE, basic('bob', PASSWORDS.bob), basic('jürgen', PASSWORDS.jürgen)]

describe('signing keys under load', { skip, timeout: 180_000 }, () => {
  const started = new AsyncDisposableStack()
  let cluster: Cluster
  let recipe: Running
  let first: MadeKey
  before(async () => {
    cluster = started.use(await startCluster())
    first = await madeKey('ES256')
    recipe = started.use(
      await runRecipe('password-to-id-token', {
        pki: cluster.pki,
        port: cluster.port,
        upstreams: { '10.0.0.1:6443': cluster.upstream },
        signingKeys: [first],
        changes: {
          ...cluster.changes,
          'keys: /etc/countersign/signing-keys': `keys: /etc/countersign/signing-keys\n  ${MAX_AGE}`,
          'mint: { audience: kubernetes }': `mint: { audience: kubernetes, ${LIFETIME} }`,
        },
      }),
    )
    await whoAmI(recipe, { headers: [ALICE] })
  })
  after(() => started.disposeAsync())

  const publishedKeys = async (): Promise<readonly string[]> => {
    const { body } = await recipe.ask('localhost', { path: '/jwks' })
    const { keys }: { keys: readonly { kid: string }[] } = JSON.parse(body)
    return keys.map(({ kid }) => kid)
  }

  it('13. rotation and revocation of keys: no request is refused', async () => {
    const statuses = new Map<number, number>()
    const tokens = new Set<string>()
    const ending = new AbortController()
    const load = CALLERS.map(async (caller) => {
      while (!ending.signal.aborted) {
        const { status } = await askWhoAmI(recipe, { headers: [caller] })
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    })
    const watch = async (): Promise<void> => {
      const { jti = [] } = await recipe.lastEvent()
      for (const id of jti) tokens.add(id)
    }

    // The next key is published, and signs later.
    const second = await madeKey('ES256', Date.now() + OVERLAP_MS)
    await writeSigningKeys(recipe.keys, [first, second])
    await eventually(publishedKeys, (kids) => kids.length === 2)
    assert.ok(Date.now() < Date.parse(second.entry.signsFrom), 'published before it signs')
    // It signs, and the first is retired: until the last of its tokens has ended it stays published.
    for (let left = OVERLAP_MS + A_LIFE_MS; left > 0; left -= 500) {
      await Promise.all([watch(), sleep(500)])
    }
    assert.deepEqual(await publishedKeys(), [first.entry.kid, second.entry.kid])
    // The first is revoked. By now no client holds a token of it.
    const revoked = new Date().toISOString()
    await writeSigningKeys(recipe.keys, [{ ...first, entry: { ...first.entry, revoked } }, second])
    await eventually(publishedKeys, (kids) => kids.length === 1)
    await sleep(A_LIFE_MS)
    ending.abort()
    await Promise.all(load)

    assert.deepEqual(await publishedKeys(), [second.entry.kid])
    assert.deepEqual([...statuses.keys()], [201], JSON.stringify([...statuses]))
    assert.ok((statuses.get(201) ?? 0) > 300, JSON.stringify([...statuses]))
    assert.ok(tokens.size > 1, 'only one token was seen')
  })
})
